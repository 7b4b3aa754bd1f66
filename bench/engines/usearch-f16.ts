import { serveUsearch } from "./usearch.ts";

await serveUsearch("f16");
