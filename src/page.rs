//! A self-contained HTML page out of a template: every text escaped, nothing that is missing passed over, the house's style inside. For
//! `report` and `plan`, which have a template each.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::text::plain;

/// The style that all pages share.
const STYLE: &str = include_str!("report/html/style.css");

/// The page. `more_style` comes after the shared one. The template is part of the program, and a test renders every part of
/// it; a mistake in it is shown in place of the page.
pub(crate) fn page(template: &str, more_style: &str, values: &impl Serialize) -> String {
    render(template, more_style, values)
        .unwrap_or_else(|error| format!("<!doctype html><title>poolgate</title><p>{error}\n"))
}

fn render(template: &str, more_style: &str, values: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_template("page.html", template)?;
    templates.add_global("style", Value::from_safe_string(format!("{STYLE}{more_style}")));
    templates.get_template("page.html")?.render(Serde(values))
}

/// A text from elsewhere as a value of a template, which escapes it: what would act on a reader is taken out before.
pub(crate) fn text(text: &str) -> String {
    plain(text).into_owned()
}
