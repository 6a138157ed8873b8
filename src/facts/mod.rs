//! The vocabulary that snapshots are written in and rules read: typed values, what is known of them, and the
//! feature words of a CPU. Depends on nothing else in the tree; `snapshot`, `cpu` and `rules` build on it.

mod featureset;
mod known;
mod model;
mod record;
mod reflect;

pub use featureset::{Featureset, ParseFeaturesetError};
pub(crate) use known::{Found, known, need};
pub use known::{Known, Reason, Unknown};
pub(crate) use model::{facts, model};
pub(crate) use record::{Key, Record, RecordVisitor, split_path, strangers_of};
pub use reflect::{Fact, FieldDef, List, Map, Object, ObjectDef, Type, Value};
