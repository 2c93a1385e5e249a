//! Adds to the report of an image what is signed about it, wherever the image is kept.

use std::path::PathBuf;

use boltseal_image::{
    Options, is_in_registry, layout_of,
    remote::{Access, Name, Remote, Repository, copy::Layout},
};
use boltseal_model::{Digest, Report, Subject, Timestamp};

use super::{Authors, InLayout, InRegistry, Place, check, check_files, hear};
use crate::{Error, Wanted, rules::Rules};

/// Looks for signatures of the image of `report`, which was opened as `wanted`, and in `files`, and hears attached VEX
/// documents, as far as `rules` ask for that, as they are worth something at `now`. Of an image that has no manifest digest (a folder, a Docker archive) nobody can
/// tell, and the report says nothing.
pub fn witness(
    wanted: &Wanted<'_>,
    files: &[PathBuf],
    rules: &Rules,
    report: &mut Report,
    now: Timestamp,
) -> Result<(), Error> {
    let policy = &rules.policy;
    let subject = report.subject.clone();
    let authorities = &*rules.believed.about(subject.name.as_ref(), now);
    let Some(digest) = subject.digest.clone() else { return Ok(()) };
    if !policy.asks_for_signatures() && policy.vex().is_none() {
        return Ok(());
    }
    let mut subjects = vec![digest];
    let mut found = None;
    let mut look = |place: &dyn Place, subjects: &mut Vec<Digest>| -> Result<(), Error> {
        subjects.sort();
        subjects.dedup();
        if let Some(wanted) = policy.vex() {
            hear(place, subjects, Authors { wanted, authorities, pushers: &|_| None }, report)?;
        }
        if policy.asks_for_signatures() {
            found = Some(check(place, subjects, authorities)?);
        }
        Ok(())
    };
    if let Some((repository, index)) = repository(wanted.options, &subject)? {
        // Of a multi-platform image, the index has signatures too.
        subjects.push(index);
        look(&InRegistry(&repository), &mut subjects)?;
    } else if let Some((folder, name)) = layout_of(wanted.target) {
        let layout = Layout::new(folder);
        let name = name.filter(|name| !name.starts_with('@'));
        subjects.extend(layout.resolve(name).map(|fetched| fetched.digest).ok());
        look(&InLayout(&layout), &mut subjects)?;
    }
    if policy.asks_for_signatures() {
        let mut given = check_files(files, &subjects, authorities)?;
        report.signatures = match found {
            Some(mut found) => {
                found.append(&mut given);
                Some(found)
            }
            None if files.is_empty() => None,
            None => Some(given),
        };
    }
    Ok(())
}

/// The repository that the image is in, and what its name stands for there.
fn repository(options: &Options<'_>, subject: &Subject) -> Result<Option<(Repository, Digest)>, Error> {
    let Some(name) = subject.name.as_ref().filter(|_| is_in_registry(&subject.reference)) else {
        return Ok(None);
    };
    let mut access = Access::default();
    access.credentials.clone_from(&options.credentials);
    access.plain_http = options.plain_http;
    access.ca_file.clone_from(&options.ca_file);
    let repository = Remote::of(name, &access)?.repository(name.repository())?;
    let index = repository.head(Name::of(name))?.digest;
    Ok(Some((repository, index)))
}
