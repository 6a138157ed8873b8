//! Findings and verdicts in the formats that people and programs read. Renderers take a report and write it;
//! they decide nothing.
