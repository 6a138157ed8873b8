//! The rule engine: loads rules as data, checks their expressions against the model, judges a case with them.
//! Pure; called by `cli` and `report`'s callers. Knows `facts`, `snapshot` and `cpu`.

pub mod expr;
