import { serveUsearch } from "./usearch.ts";

await serveUsearch("i8");
