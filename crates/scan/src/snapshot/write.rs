//! Drafts to bytes. Everything is put in an order of its own content, so that the order of arrival leaves no trace.

use std::io::{Seek, Write};

use boltseal_model::{Severity, SnapshotInfo};
use zerocopy::{IntoBytes as _, little_endian::U32};

use super::{
    builder::{Builder, Draft, count},
    groups::{self, Joined, Part},
    layout::{self, Group, IdRow, NO_TIME, NONE, Record, Section, Vector},
    output::Output,
    rows::{self, Placed},
    source,
    words::{cve_number, severity_number},
};
use crate::Error;

/// Writes the whole file; see `layout`.
pub(super) fn write(
    mut builder: Builder,
    mut info: SnapshotInfo,
    out: &mut (impl Write + Seek),
) -> Result<SnapshotInfo, Error> {
    builder.texts.flush()?;
    let names = &builder.names;
    let name = |id: u32| names.text(id);
    let (strings, places) = strings(&builder)?;
    let place = |id: u32| places.get(id as usize).copied().unwrap_or(NONE);

    let mut drafts: Vec<&Draft> = builder.drafts.iter().collect();
    drafts.sort_by_key(|draft| (place(draft.id), place(draft.feed)));
    let parts = groups::parts(drafts.iter().copied(), &name);
    count(parts.len(), "advisories")?;
    let joined = groups::join(&parts, &drafts, &name, names.all.len());
    let group_of = group_of(&joined, parts.len());

    let mut file = Output::new(out)?;
    let briefs = file.briefs(&builder, &drafts)?;
    let spots = file.texts(&builder, &drafts)?;
    file.section(Section::Strings, &strings)?;
    drop(strings);

    let record = |(index, part): (usize, &Part)| -> Option<Record> {
        let draft = drafts.get(part.draft)?;
        let (block, within) = *spots.get(part.draft)?;
        Some(Record {
            id: place(draft.id).into(),
            feed: place(draft.feed).into(),
            group: (*group_of.get(index)?).into(),
            rank: source::rank(name(draft.feed)),
            severity: severity_number(draft.severity),
            unused: [0; 2],
            published: draft.published.map_or(NO_TIME, jiff::Timestamp::as_second).into(),
            brief: (*briefs.get(part.draft)?).into(),
            block: block.into(),
            within: within.into(),
        })
    };
    let records: Vec<Record> = parts.iter().enumerate().filter_map(record).collect();
    file.section(Section::Advisories, records.as_bytes())?;

    let mut rows: Vec<Placed> = Vec::new();
    for ((index, part), record) in (0..).zip(&parts).zip(&records) {
        let Some(draft) = drafts.get(part.draft) else { continue };
        rows.extend(draft.rows.iter().map(|row| Placed::new(row, index, record, &place, &name)));
    }
    let tables = rows::tables(rows)?;
    file.section(Section::Keys, tables.keys.as_bytes())?;
    file.section(Section::Packages, tables.packages.as_bytes())?;
    file.section(Section::Rows, tables.rows.as_bytes())?;
    file.section(Section::Lists, tables.lists.as_bytes())?;

    let mut tables = Vulnerabilities::default();
    for joined in &joined {
        let member = |part: &u32| Some((*part, *drafts.get(parts.get(*part as usize)?.draft)?));
        let members: Vec<(u32, &Draft)> = joined.members.iter().filter_map(member).collect();
        tables.add(&builder, joined, &members, &place)?;
    }
    tables.ids.sort_by_key(|row| (row.hash.get(), row.group.get()));
    file.section(Section::Groups, tables.groups.as_bytes())?;
    file.section(Section::GroupIds, tables.group_ids.as_bytes())?;
    file.section(Section::Members, tables.members.as_bytes())?;
    file.section(Section::Vectors, tables.vectors.as_bytes())?;
    file.section(Section::Ids, tables.ids.as_bytes())?;

    let json = serde_json::to_vec(&info).map_err(|error| Error::Io(error.into()))?;
    file.section(Section::Info, &json)?;
    info.id = file.finish()?;
    Ok(info)
}

/// The strings section, and where each name lies in it; a name that sorts before another lies before it.
fn strings(builder: &Builder) -> Result<(Vec<u8>, Vec<u32>), Error> {
    let names = &builder.names.all;
    let mut order: Vec<u32> = (0..).take(names.len()).collect();
    order.sort_unstable_by_key(|id| names.get(*id as usize));
    let mut places = vec![NONE; names.len()];
    let mut bytes = Vec::with_capacity(names.iter().map(|name| name.len() + 4).sum());
    for id in order {
        let (Some(place), Some(name)) = (places.get_mut(id as usize), names.get(id as usize)) else {
            continue;
        };
        *place = count(bytes.len(), "bytes of names and versions")?;
        bytes.extend_from_slice(&count(name.len(), "bytes in one name")?.to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    Ok((bytes, places))
}

fn group_of(joined: &[Joined], parts: usize) -> Vec<u32> {
    let mut groups = vec![NONE; parts];
    for (group, joined) in (0..).zip(joined) {
        for member in &joined.members {
            if let Some(slot) = groups.get_mut(*member as usize) {
                *slot = group;
            }
        }
    }
    groups
}

/// The sections about vulnerabilities while they grow.
#[derive(Default)]
struct Vulnerabilities {
    groups: Vec<Group>,
    group_ids: Vec<U32>,
    members: Vec<U32>,
    vectors: Vec<Vector>,
    ids: Vec<IdRow>,
}

impl Vulnerabilities {
    fn add(
        &mut self,
        builder: &Builder,
        joined: &Joined,
        members: &[(u32, &Draft)],
        place: &dyn Fn(u32) -> u32,
    ) -> Result<(), Error> {
        let name = |id: u32| builder.names.text(id);
        let index = count(self.groups.len(), "vulnerabilities")?;
        let mut vectors: Vec<(u32, u64)> =
            members.iter().flat_map(|(_, draft)| draft.vectors.iter().copied()).collect();
        vectors.sort_by_key(|(text, score)| (place(*text), *score));
        vectors.dedup();
        let score = vectors.iter().map(|(_, score)| f64::from_bits(*score)).fold(f64::NAN, f64::max);
        let word = members.iter().filter_map(|(_, draft)| draft.severity).max();
        let severity = if score.is_nan() { word } else { Some(Severity::of_score(score)) };
        // Vendors of distributions describe worst, so the last source in the order of matching has the best title.
        let rank = |draft: &Draft| std::cmp::Reverse(source::rank(name(draft.feed)));
        let about = members.iter().min_by_key(|(part, draft)| (!draft.text.has_title, rank(draft), *part));
        let mut group = Group {
            first_id: count(self.group_ids.len(), "ids")?.into(),
            ids: count(joined.ids.len(), "ids")?.into(),
            first_member: count(self.members.len(), "advisories")?.into(),
            members: count(joined.members.len(), "advisories")?.into(),
            first_vector: count(self.vectors.len(), "CVSS vectors")?.into(),
            vectors: count(vectors.len(), "CVSS vectors")?.into(),
            about: about.map_or(NONE, |(part, _)| *part).into(),
            severity: severity_number(severity),
            ..Group::default()
        };
        for cve in joined.ids.iter().filter_map(|id| cve_number(name(*id))) {
            builder.enrichments.join(cve, &mut group);
        }
        self.groups.push(group);
        self.group_ids.extend(joined.ids.iter().map(|id| U32::new(place(*id))));
        self.members.extend(joined.members.iter().map(|member| U32::new(*member)));
        self.vectors.extend(
            vectors.iter().map(|(text, score)| Vector { text: place(*text).into(), score: (*score).into() }),
        );
        let known_as = joined.ids.iter().chain(&joined.umbrellas);
        self.ids
            .extend(known_as.map(|id| IdRow { hash: layout::id_key(name(*id)).into(), group: index.into() }));
        Ok(())
    }
}
