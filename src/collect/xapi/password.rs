//! A password: in memory once, never shown, wiped.

use std::fmt;

use zeroize::Zeroizing;

/// A password. Has no way to be printed, and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text over; no copy of it is left behind.
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text, for the body of a call alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_shows_it() {
        let password = Password::new(Zeroizing::new("hunter2".to_owned()));
        assert_eq!(password.reveal(), "hunter2");
        assert_eq!(format!("{password:?} {:#?}", Some(&password)), "Password(…) Some(\n    Password(…),\n)");
    }
}
