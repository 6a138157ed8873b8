//! Pairs of every release line: what poolgate foretells and what the simulator answers.
