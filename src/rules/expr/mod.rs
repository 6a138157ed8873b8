//! The expression language of rules: a statically typed subset of CEL with three-valued evaluation.
//! Called by `rules` only.
