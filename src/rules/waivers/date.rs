//! A day, without a time and a clock.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// A day of the Gregorian calendar from 1970 on, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Since 1970-01-01.
    days: u64,
}

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no day; write year, month and day, like 2026-12-31")]
pub struct DateError(String);

impl Date {
    /// How many days from this one to a later one; 0 when it is not later.
    pub const fn days_until(self, later: Self) -> u64 {
        later.days.saturating_sub(self.days)
    }
}

impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Self {
        // A clock before 1970 is wrong; the first day lets no waiver expire early, and over-broad ones show.
        Self { days: time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / DAY) }
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let wrong = || DateError(text.to_owned());
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let time = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| wrong())?;
        if !plain || time < UNIX_EPOCH {
            return Err(wrong());
        }
        Ok(time.into())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH + Duration::from_secs(self.days * DAY);
        let text = humantime::format_rfc3339_seconds(time).to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        for text in ["1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in ["2026-02-29", "2026-13-01", "1969-12-31", "2026-1-1", "today", "", "2026-12-31T00", "20261231"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(day("2026-09-30") < day("2026-10-01"));
        assert_eq!(day("2026-02-28").days_until(day("2026-03-01")), 1);
        assert_eq!(Date::from(UNIX_EPOCH + Duration::from_secs(86_399)), day("1970-01-01"));
    }
}
