//! `poolgate schema`: the JSON Schemas of what poolgate writes.

use super::Exit;
use super::args::{Schema, SchemaOf};
use super::error::CliError;
use super::output::print;
use crate::{diff, gate, plan, report, snapshot};

pub(super) fn run(args: &Schema) -> Result<Exit, CliError> {
    let schema = match args.of {
        SchemaOf::Snapshot => snapshot::json_schema(),
        SchemaOf::Report => report::json_schema(),
        SchemaOf::ReportLine => report::line_schema(),
        SchemaOf::Fleet => report::fleet_schema(),
        SchemaOf::FleetLine => report::fleet_line_schema(),
        SchemaOf::JoinPlan => gate::plan::json_schema(),
        SchemaOf::Run => gate::plan::run_schema(),
        SchemaOf::Plan => plan::json_schema(),
        SchemaOf::Diff => diff::json_schema(),
    };
    print(&format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}
