//! A bill of materials for people.

use std::fmt::Write as _;

use boltseal_model::Report;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::{
    paint::{Paint, clean, count},
    table,
};

/// A table without rows: headings alone look as if something went wrong.
const NOTHING: &str = "none\n";

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
    let rows: Vec<[String; N]> = rows.map(cleaned).collect();
    if rows.is_empty() {
        return NOTHING.to_owned();
    }
    lay_out(Table::new().set_header(head.map(str::to_uppercase)).add_rows(rows), paint)
}

/// The same without columns that are empty in every row. The last column, an id to copy, is never broken.
pub fn grid_without_gaps<const N: usize>(
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    paint: Paint,
) -> String {
    let rows: Vec<[String; N]> = rows.map(cleaned).collect();
    if rows.is_empty() {
        return NOTHING.to_owned();
    }
    let is_used = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.is_empty()));
    let used: Vec<usize> = (0..N).filter(|column| is_used(*column)).collect();
    let pick = |row: &[String; N]| -> Vec<String> {
        used.iter().filter_map(|column| row.get(*column).cloned()).collect()
    };
    let mut table = Table::new();
    table.set_header(pick(&head.map(str::to_uppercase))).add_rows(rows.iter().map(pick));
    if let Some(last) = used.len().checked_sub(1).and_then(|last| table.column_mut(last)) {
        last.set_constraint(ColumnConstraint::ContentWidth);
    }
    lay_out(&mut table, paint)
}

fn cleaned<const N: usize>(row: [String; N]) -> [String; N] {
    row.map(|cell| clean(&cell))
}

fn lay_out(table: &mut Table, paint: Paint) -> String {
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paint.width).unwrap_or(u16::MAX));
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
