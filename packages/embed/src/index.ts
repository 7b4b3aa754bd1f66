export { type HashedNgramsEmbedder, type HashedNgramsOptions, hashedNgrams } from "./hashed-ngrams.ts";
export { openAICompatible } from "./openai-compatible.ts";
export type { Fetch, OpenAICompatibleOptions } from "./openai-options.ts";
export type { RetryClock } from "./retry-clock.ts";
