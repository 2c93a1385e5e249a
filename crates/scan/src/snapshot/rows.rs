//! Rows of all advisories, put in the order in which matching reads them.

use zerocopy::little_endian::{U32, U64};

use super::{
    builder::{DraftRow, count},
    layout::{self, Kind, NONE, Package, Record, Row},
    words::{severity_number, status_number},
};
use crate::Error;

/// A row that knows where it belongs. The order of the fields is the order of the file: by key, then by
/// vulnerability, then by how much its source is preferred.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    key: u64,
    space: u32,
    name: u32,
    group: u32,
    rank: u8,
    advisory: u32,
    listed: Vec<u32>,
    range: (u32, u32, u32),
    day: i32,
    status: u8,
    severity: u8,
    cpus: u32,
}

/// The sections that lead from a package name to its rows.
#[derive(Default)]
pub(super) struct Tables {
    pub keys: Vec<U64>,
    pub packages: Vec<Package>,
    pub rows: Vec<Row>,
    pub lists: Vec<U32>,
}

impl Placed {
    /// `row` of the advisory with `index`; `place` says where in the file a name lies, `name` what it is.
    pub(super) fn new<'a>(
        row: &DraftRow,
        index: u32,
        record: &Record,
        place: &dyn Fn(u32) -> u32,
        name: &dyn Fn(u32) -> &'a str,
    ) -> Self {
        Self {
            key: layout::key(name(row.space), name(row.package)),
            space: place(row.space),
            name: place(row.package),
            group: record.group.get(),
            rank: record.rank,
            advisory: index,
            listed: row.listed.iter().map(|version| place(*version)).collect(),
            range: (place(row.introduced), place(row.fixed), place(row.last)),
            day: row.day,
            status: status_number(row.status),
            severity: severity_number(row.severity),
            cpus: place(row.cpus),
        }
    }
}

/// Sorts and writes down all rows.
pub(super) fn tables(mut placed: Vec<Placed>) -> Result<Tables, Error> {
    placed.sort_unstable();
    placed.dedup();
    let mut tables = Tables::default();
    tables.rows.reserve(placed.len());
    let mut last = None;
    for placed in placed {
        let row = count(tables.rows.len(), "ranges")?;
        if last != Some((placed.space, placed.name)) {
            last = Some((placed.space, placed.name));
            tables.keys.push(placed.key.into());
            tables.packages.push(Package {
                space: placed.space.into(),
                name: placed.name.into(),
                first_row: row.into(),
                rows: 0.into(),
            });
        }
        if let Some(package) = tables.packages.last_mut() {
            package.rows = (package.rows.get() + 1).into();
        }
        let (kind, (a, b, c)) = if placed.listed.is_empty() {
            (Kind::Range, placed.range)
        } else {
            let first = count(tables.lists.len(), "listed versions")?;
            tables.lists.extend(placed.listed.iter().map(|version| U32::new(*version)));
            (Kind::Listed, (first, count(placed.listed.len(), "listed versions")?, NONE))
        };
        tables.rows.push(Row {
            advisory: placed.advisory.into(),
            a: a.into(),
            b: b.into(),
            c: c.into(),
            day: placed.day.into(),
            kind: kind as u8,
            status: placed.status,
            severity: placed.severity,
            unused: 0,
            cpus: placed.cpus.into(),
        });
    }
    Ok(tables)
}
