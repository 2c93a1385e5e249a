//! A bill of materials for people.

use std::fmt::Write as _;

use boltseal_model::Report;
use comfy_table::{ContentArrangement, Table, presets};

use super::{
    paint::{Paint, clean, count},
    table,
};

/// Every package, one a line.
pub fn packages(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    table::head(report, paint, &mut out);
    let _ = writeln!(out, "{}", paint.bold(&count(report.packages.len(), "package")));
    table::coverage(report, paint, &mut out);
    if report.packages.is_empty() {
        return out;
    }
    out.push('\n');
    let rows = report.packages.iter().map(|package| {
        let source = package.source.as_ref().map_or_else(String::new, |source| source.name.clone());
        let path = package.paths.first().cloned().unwrap_or_default();
        let layer = package.layer.as_ref().map_or_else(String::new, boltseal_model::Digest::short);
        [package.name.clone(), package.version.clone(), package.ecosystem.clone(), source, layer, path]
    });
    out.push_str(&grid(&["name", "version", "ecosystem", "source", "layer", "path"], rows, paint));
    out
}

/// Rows under a heading, as wide as the terminal.
pub fn grid<const N: usize>(
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    paint: Paint,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paint.width).unwrap_or(u16::MAX));
    table.set_header(head.map(str::to_uppercase));
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut out = String::new();
    for (index, line) in table.to_string().lines().enumerate() {
        let line = line.trim_end();
        let _ = writeln!(out, "{}", if index == 0 { paint.bold(line) } else { line.to_owned() });
    }
    out
}
