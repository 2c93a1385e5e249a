//! The report itself, as described by `docs/reference/report.schema.json`.

use super::{Format, pretty};

/// `json`
pub(super) const FORMAT: Format = Format {
    name: "json",
    media_type: "application/json",
    extension: "json",
    about: "everything, as described by docs/reference/report.schema.json",
    write: |report, out| pretty(report, out),
};
