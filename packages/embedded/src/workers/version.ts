/** What snapshots say they were written by. */
export const ENGINE = "@nigh/embedded 0.1.0";
