//! Words that a shell completes although any other is taken too: what is wrong with that one, its own error says best.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::cpu::releases::products;
use crate::rules::built_in_ids;

/// Takes every word, and offers some.
#[derive(Clone)]
pub(super) struct Offered(fn() -> Vec<&'static str>);

impl TypedValueParser for Offered {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

/// The releases for `--as-release`.
pub(super) const fn releases() -> Offered {
    Offered(|| products().iter().map(|product| product.name).collect())
}

/// The ids of the built-in rules.
pub(super) const fn rule_ids() -> Offered {
    Offered(built_in_ids)
}
