//! A plan as a file: its versions, its own digest, and how one is read.

use super::Plan;
use crate::gate::digest::of_json;
use crate::text::json_text;

/// The value of `format` in every plan.
pub const FORMAT: &str = "poolgate-plan";
/// Major version of the format: a reader refuses a newer one.
pub const MAJOR: u32 = 1;
/// Minor version of the format: grows when fields are added.
pub const MINOR: u32 = 1;

/// Why a plan cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It is no plan.
    #[error("line {line}, column {column}: {message}; a plan is written with --plan-out FILE")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found.
        message: String,
    },
    /// It is some other format.
    #[error("\"format\" is \"{found}\", expected \"{FORMAT}\"; a plan is written with --plan-out FILE")]
    Format {
        /// What stands there.
        found: String,
    },
    /// A newer program wrote it, or the version is none.
    #[error("plan version \"{found}\" cannot be read; this version reads {MAJOR}.x. Make the plan anew")]
    Version {
        /// What stands there.
        found: String,
    },
    /// It was edited.
    #[error(
        "it was changed after it was written: its digest is {found}, and what stands in it has {computed}. Make the plan anew"
    )]
    Changed {
        /// What stands there.
        found: String,
        /// What it would be.
        computed: String,
    },
    /// It cannot be written as JSON.
    #[error("cannot write the plan as JSON: {0}")]
    Write(String),
}

/// Reads a plan. One that was changed after it was written is none.
pub fn read_plan(text: &str) -> Result<Plan, PlanError> {
    let shape = |error: &serde_json::Error| {
        let whole = error.to_string();
        let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message).to_owned();
        PlanError::Shape { line: error.line(), column: error.column(), message }
    };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| shape(&error))?;
    let word = |key: &str| json.get(key).and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    if word("format") != FORMAT {
        return Err(PlanError::Format { found: word("format") });
    }
    let version = word("version");
    let major = version.split_once('.').and_then(|(major, _)| major.parse::<u32>().ok());
    if major != Some(MAJOR) {
        return Err(PlanError::Version { found: version });
    }
    let plan: Plan = serde_json::from_str(text).map_err(|error| shape(&error))?;
    let computed = plan.compute_digest()?;
    if computed != plan.digest {
        return Err(PlanError::Changed { found: plan.digest, computed });
    }
    Ok(plan)
}

impl Plan {
    /// The digest of everything but the digest.
    pub fn compute_digest(&self) -> Result<String, PlanError> {
        let mut json = serde_json::to_value(self).map_err(|error| PlanError::Write(error.to_string()))?;
        if let Some(map) = json.as_object_mut() {
            map.remove("digest");
        }
        Ok(of_json(&json))
    }

    /// The plan as indented JSON with a final newline.
    pub fn to_json(&self) -> Result<String, PlanError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| PlanError::Write(error.to_string()))?;
        Ok(format!("{}\n", json_text(&text)))
    }
}
