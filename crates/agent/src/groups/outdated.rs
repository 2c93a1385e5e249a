//! Which images that run here have something newer, or would not be let in any more.
//!
//! | what | how it is found |
//! |---|---|
//! | its name means another image by now | the registry is asked for the tag that the group named |
//! | there is a newer version | tags of the same form (`v1.2.3-alpine`) with a greater number |
//! | its base was built again | the base that it names (`org.opencontainers.image.base.name`) has other layers by now, or the server says so |
//! | its verdict is worse than when it was let in | it is asked for anew |
//!
//! What could not be found out is said. Limits: [`MAX_TAGS`] tags of a repository.

use std::{collections::BTreeMap, sync::Arc};

use boltseal_flow::{base, launch};
use boltseal_image::{
    Options,
    remote::{Access, Remote},
};
use boltseal_model::{Decision, Digest, Layer, Reference};
use serde::{Deserialize, Serialize};

use super::{
    Engine, Error, Judge, ask,
    engine::lock,
    group::{Group, KeptImage},
    rollout, stock,
};

/// Tags of one repository that are looked through; whoever has more is asked for no newer version.
pub const MAX_TAGS: usize = 10_000;
/// What an image says that it was built on.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// And which digest that had.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// A group that runs an image, the image, and containers of whichever group.
type Run = (Arc<Group>, KeptImage, Vec<String>);

/// An image that runs here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aged {
    /// As groups name it.
    pub image: String,
    /// What runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where: `group/container`.
    pub containers: Vec<String>,
    /// What its name means now, where that is another image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Digest>,
    /// The newest version of the same form that its repository has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
    /// The base that was built again since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Rebuilt>,
    /// Why it was let in and would be judged worse now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Worse>,
    /// What it does not tell, so that nobody can know whether it has something newer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<String>,
    /// What could not be found out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A base that was built again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Its name.
    pub name: String,
    /// What that means now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// A verdict that became worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worse {
    /// When it was let in.
    pub then: Decision,
    /// Now.
    pub now: Decision,
    /// Why.
    pub why: String,
}

impl Aged {
    /// Whether there is anything to do about it.
    pub const fn is_outdated(&self) -> bool {
        self.moved.is_some() || self.newer.is_some() || self.base.is_some() || self.verdict.is_some()
    }
}

impl Engine {
    /// Images that run, in the order of their names. Asks registries; for a thread that may wait.
    pub fn outdated(&self, handle: &tokio::runtime::Handle) -> Vec<Aged> {
        let groups: Vec<_> = lock(&self.0.groups).values().cloned().collect();
        let mut images: BTreeMap<(String, Digest), Run> = BTreeMap::new();
        for group in groups.iter().filter(|group| *group.kept_running.borrow()) {
            for image in &lock(&group.kept).images {
                let key = (image.name.clone(), stock::key(image));
                let place =
                    images.entry(key).or_insert_with(|| (Arc::clone(group), image.clone(), Vec::new()));
                let of_it = group.containers.iter().filter(|one| one.plan.image == image.name);
                place.2.extend(of_it.map(|one| format!("{}/{}", rollout::called(group), one.name())));
            }
        }
        let aged = |(group, image, containers): Run| Aged { containers, ..self.aged(&group, &image, handle) };
        images.into_values().map(aged).collect()
    }

    /// What one image of a group has that is newer.
    pub(super) fn aged(&self, group: &Group, image: &KeptImage, handle: &tokio::runtime::Handle) -> Aged {
        let (name, digest) = (image.name.clone(), image.digest.clone());
        let mut aged = Aged { image: name, digest, ..Aged::default() };
        if let Err(error) = self.look(group, image, &mut aged, handle) {
            aged.unknown.push(error.to_string());
        }
        aged
    }

    fn look(
        &self,
        group: &Group,
        image: &KeptImage,
        aged: &mut Aged,
        handle: &tokio::runtime::Handle,
    ) -> Result<(), Error> {
        let run = lock(&group.kept).run.clone();
        let read = ask::read(&run)?;
        let (target, options) = self.0.target(&run, &read, &image.name, handle)?;
        match (&image.digest, launch::resolve(&target, &options)) {
            (Some(then), Ok(Some(now))) => aged.moved = (now != *then).then_some(now),
            (_, Ok(_)) => {
                aged.untold.push(format!("{target} has no digest that could tell it from a newer one"));
            }
            (_, Err(error)) => aged.unknown.push(format!("what {target} means now: {error}")),
        }
        match target.strip_prefix("docker://").map(str::parse::<Reference>) {
            Some(Ok(reference)) => match newer(&reference, &options) {
                Ok(newer) => aged.newer = newer,
                Err(error) => aged.unknown.push(format!("versions of {}: {error}", reference.name())),
            },
            _ => aged.untold.push("it is not from a registry, which would have newer versions".to_owned()),
        }
        if let Err(why) = self.base(&run, &read, image, aged, handle) {
            aged.unknown.push(why);
        }
        // Of what runs, not of what its name means now.
        let pinned = image.digest.as_ref().and_then(|digest| launch::pinned(&target, digest));
        let target = pinned.unwrap_or(target);
        let judge = &self.0.judge;
        let now = ask::ruling(&image.name, image.digest.as_ref(), &target, &options, judge, handle);
        let then = &image.ruling;
        if !now.judged && then.judged {
            aged.unknown.push(format!("its verdict: {}", now.why));
        } else if now.judged && now.decision > then.decision {
            aged.verdict = Some(Worse { then: then.decision, now: now.decision, why: now.why });
        }
        Ok(())
    }

    /// Whether its base was built again.
    fn base(
        &self,
        run: &boltseal_api::groups::Run,
        read: &ask::Read,
        image: &KeptImage,
        aged: &mut Aged,
        handle: &tokio::runtime::Handle,
    ) -> Result<(), String> {
        if let (Judge::Server(gate), Some(digest)) = (&*self.0.judge, &image.digest)
            && let Ok(bases) = handle.block_on(gate.bases(digest))
            && let Some(base) = bases.base
        {
            let rebuilt = |newer: boltseal_api::aging::Newer| Rebuilt {
                name: newer.name,
                digest: newer.digest.parse().ok(),
            };
            aged.base = base.newer.map(rebuilt);
            return Ok(());
        }
        let label = |name: &str| image.config.labels.get(name).filter(|text| !text.is_empty());
        let Some(name) = label(BASE_NAME) else {
            aged.untold.push(format!("what it was built on: it has no label {BASE_NAME}"));
            return Ok(());
        };
        let failed = |error: &dyn std::fmt::Display| format!("its base {name}: {error}");
        let (target, options) = self.0.target(run, read, name, handle).map_err(|error| failed(&error))?;
        let (digest, layers) = launch::layers(&target, &options).map_err(|error| failed(&error))?;
        let own: Vec<Layer> = image.layers.iter().map(layer).collect();
        if base::built_on(&own, &layers).is_some() {
            return Ok(());
        }
        let is_what_it_says = digest.as_ref().map(ToString::to_string).as_ref() == label(BASE_DIGEST);
        if is_what_it_says {
            return Err(failed(&"it says that this is its base, and its layers are not those"));
        }
        aged.base = Some(Rebuilt { name: name.clone(), digest });
        Ok(())
    }
}

fn layer(diff_id: &Digest) -> Layer {
    Layer { digest: None, diff_id: Some(diff_id.clone()), size: 0, created_by: None }
}

/// The newest tag of the same form, where there is one.
fn newer(
    reference: &Reference,
    options: &Options<'_>,
) -> Result<Option<String>, boltseal_image::remote::Error> {
    let Some(own) = reference.tag().and_then(Version::of) else { return Ok(None) };
    let mut access = Access::default();
    access.credentials.clone_from(&options.credentials);
    access.plain_http = options.plain_http;
    access.ca_file.clone_from(&options.ca_file);
    let tags = Remote::of(reference, &access)?.repository(reference.repository())?.tags()?.all(MAX_TAGS)?;
    Ok(newest(&own, &tags).map(str::to_owned))
}

/// A tag that is a version: an optional `v`, numbers, and what comes behind a `-`, `_` or `+`, which says how it was built.
#[derive(Debug, PartialEq, Eq)]
struct Version<'a> {
    v: bool,
    numbers: Vec<u64>,
    form: &'a str,
}

impl<'a> Version<'a> {
    fn of(tag: &'a str) -> Option<Self> {
        let plain = tag.strip_prefix('v');
        let (v, rest) = (plain.is_some(), plain.unwrap_or(tag));
        let (numbers, form) = rest.split_at(rest.find(['-', '_', '+']).unwrap_or(rest.len()));
        let numbers: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        Some(Self { v, numbers: numbers.ok()?, form })
    }
}

/// Tags of another form are of another build, or less exact, and never newer.
fn newest<'t>(own: &Version<'_>, tags: &'t [String]) -> Option<&'t str> {
    let of_form = |tag: &'t String| {
        let version = Version::of(tag)?;
        let is_same =
            (version.v, version.form, version.numbers.len()) == (own.v, own.form, own.numbers.len());
        (is_same && version.numbers > own.numbers).then_some((version.numbers, tag.as_str()))
    };
    tags.iter().filter_map(of_form).max().map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions() {
        let tags = [
            "latest",
            "1.9.0",
            "1.10.0",
            "1.10",
            "2",
            "1.11.0-alpine",
            "2.0.0-rc1",
            "v3.0.0",
            "1.10.0.1",
            "x.y.z",
            "1..2",
            "sha256-aa.sig",
            "99999999999999999999.0.0",
        ]
        .map(str::to_owned);
        for (own, wanted) in [
            ("1.2.3", Some("1.10.0")),
            ("1.10.0", None),
            ("1.9", Some("1.10")),
            ("1", Some("2")),
            ("1.2.3-alpine", Some("1.11.0-alpine")),
            ("2.0.0-rc0", None),
            ("v2.9.9", Some("v3.0.0")),
            ("3.0.0", None),
        ] {
            assert_eq!(newest(&Version::of(own).unwrap(), &tags), wanted, "{own}");
        }
        for odd in ["latest", "", "v", "1.", "-1", "stable-1.2"] {
            assert_eq!(Version::of(odd), None, "{odd}");
        }
    }
}
