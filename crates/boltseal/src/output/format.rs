//! `--format`: the table for people, and every format of `scan::format`.

use boltseal_model::Report;
use boltseal_scan::format;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::exit::Failure;

use super::paint::Paint;

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Document(&'static format::Format),
}

impl Format {
    /// Reads the argument; help and completion list what [`format::ALL`] lists.
    pub fn parser() -> impl TypedValueParser<Value = Self> {
        let table = PossibleValue::new("table").help("For people");
        let documents = format::ALL.iter().map(|format| PossibleValue::new(format.name).help(format.about));
        PossibleValuesParser::new(std::iter::once(table).chain(documents))
            .map(|name| format::by_name(&name).map_or(Self::Table, Self::Document))
    }

    /// `report` in this format; `people` writes the table.
    pub fn text(
        self,
        report: &Report,
        paint: Paint,
        people: fn(&Report, Paint) -> String,
    ) -> Result<String, Failure> {
        match self {
            Self::Table => Ok(people(report, paint)),
            Self::Document(format) => format.text(report).map_err(|wrong| {
                Failure::fault(format_args!("cannot write the report as {}: {wrong}", format.name))
            }),
        }
    }
}
