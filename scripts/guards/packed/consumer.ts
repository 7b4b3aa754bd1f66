// A program of a user, type-checked against the packed declarations (see ../packed.ts).
import { type ErrorCode, isNighError, type Metric, NighError } from "@nigh/contract";
import * as embed from "@nigh/embed";
import * as formats from "@nigh/formats";
import * as index from "@nigh/index";
import * as kernels from "@nigh/kernels";
import * as threads from "@nigh/threads";
import * as nigh from "nigh";

const code: ErrorCode = "NOT_FOUND";
const error: NighError = new NighError(code, "no such collection");
const metric: Metric = "cosine";

export const seen: readonly object[] = [embed, formats, index, kernels, threads, nigh];
export const known: boolean = isNighError(error, code) && metric === "cosine";
