export { BETS, BettingTest, bettingLowerBound, logWealth } from "./bounds/betting.ts";
export { clopperPearson } from "./bounds/clopper-pearson.ts";
export { RecallCounts } from "./bounds/counts.ts";
export { hoeffdingBentkus } from "./bounds/hoeffding-bentkus.ts";
export { maurerPontil } from "./bounds/maurer-pontil.ts";
export { K_BANDS, kBandsFor, type SelectivityBand, selectivityBand, sharesOf, UNFILTERED } from "./cells/bands.ts";
export { TARGETS, targetFor } from "./cells/targets.ts";
export {
	type Ask,
	type Certificate,
	Certification,
	type CertificationOptions,
	type RungReport,
} from "./certify/certification.ts";
export { type DeltaOptions, deltaOf } from "./certify/delta.ts";
export { FixedSequence } from "./certify/fixed-sequence.ts";
export { HEADROOM, servingRung } from "./certify/serving-rung.ts";
export { CELL_ARMS, type CellsLadderOptions, cellsLadder } from "./ladder/cells.ts";
export { type GraphLadderOptions, graphLadder, graphRung } from "./ladder/graph.ts";
export { type CellsRung, type GraphRung, isSameRung, type Rung } from "./ladder/rungs.ts";
export { dearestWidth, pilotGoal, SPACING, widths } from "./ladder/widths.ts";
export { Reservoir, ReservoirCoin } from "./queries/reservoir.ts";
export { type Random, randomBelow, randomFrom, shuffle } from "./random.ts";
export { recallOf } from "./recall-of.ts";
export type { ArmState } from "./tune/arm-record.ts";
export { type Arm, armOf, armsFor, endsEarly, FLAT, isSameArm, settingOf } from "./tune/arms.ts";
export { Bandit, type BanditState } from "./tune/bandit.ts";
export { TOO_SLOW, TRIES_BEFORE_TOO_SLOW } from "./tune/epsilon-greedy.ts";
export { Tuner, type TunerOptions } from "./tune/tuner.ts";
export { type CellState, readTunerState, TUNER_STATE_VERSION, type TunerState } from "./tune/tuner-state.ts";
export { ALARM_AT, DETECTOR_BETS, Detector, type DetectorSettings, type DetectorState } from "./watch/detector.ts";
export { DROP, HEARD_WITHIN, settingsFor } from "./watch/settings.ts";
