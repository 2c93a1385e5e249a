//! The image configuration (OCI image specification, "Image Configuration"; Docker's is the same).

use std::collections::BTreeMap;

use boltseal_model::{Config, Digest, Platform};
use serde::{Deserialize, Deserializer};

use crate::Error;

/// What a configuration says.
#[derive(Debug)]
pub struct Parsed {
    /// How the image wants to run.
    pub config: Config,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// Of the archives, bottom first.
    pub diff_ids: Vec<Digest>,
    /// The build steps that made a layer, bottom first; fewer than layers if the history is incomplete.
    pub steps: Vec<Option<String>>,
    /// Every step of the build, first one first, whether it made a layer or not.
    pub history: Vec<Made>,
}

/// One step of the build of an image, as its configuration tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Made {
    /// When, RFC 3339 as the builder wrote it.
    pub created: Option<String>,
    /// What was done.
    pub created_by: Option<String>,
    /// What the builder said besides.
    pub comment: Option<String>,
    /// Whether it made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// Reads a configuration; `what` names it in messages.
pub fn parse(bytes: &[u8], what: &str) -> Result<Parsed, Error> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))?;
    let Some(rootfs) = written.rootfs else {
        return Err(Error::malformed(what, "has no `rootfs`: this is not the configuration of an image"));
    };
    let run = written.config.unwrap_or_default();
    let named = !written.os.is_empty() || !written.architecture.is_empty();
    let platform = named.then_some(Platform {
        os: written.os,
        architecture: written.architecture,
        variant: written.variant.filter(|variant| !variant.is_empty()),
    });
    let steps = written.history.iter().filter(|step| !step.empty_layer);
    Ok(Parsed {
        config: Config {
            created: written.created,
            user: run.user,
            env: run.env,
            labels: run.labels,
            entrypoint: run.entrypoint,
            command: run.cmd,
            working_dir: run.working_dir,
            ports: run.exposed_ports.into_keys().collect(),
            healthcheck: run
                .healthcheck
                .is_some_and(|check| check.test.first().is_some_and(|kind| kind != "NONE")),
        },
        platform,
        diff_ids: rootfs.diff_ids,
        steps: steps.map(|step| step.created_by.clone()).collect(),
        history: written.history,
    })
}

#[derive(Deserialize)]
struct Written {
    created: Option<String>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    config: Option<Run>,
    rootfs: Option<RootFs>,
    #[serde(default, deserialize_with = "null_is_empty")]
    history: Vec<Made>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    #[serde(deserialize_with = "null_is_empty")]
    user: String,
    #[serde(deserialize_with = "null_is_empty")]
    env: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "one_or_many")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "one_or_many")]
    cmd: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    working_dir: String,
    #[serde(deserialize_with = "null_is_empty")]
    exposed_ports: BTreeMap<String, serde_json::Value>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Healthcheck {
    #[serde(deserialize_with = "null_is_empty")]
    test: Vec<String>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default, deserialize_with = "null_is_empty")]
    diff_ids: Vec<Digest>,
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Old builders wrote a command as one text.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::deserialize(from)? {
        None => Vec::new(),
        Some(Either::One(word)) => vec![word],
        Some(Either::Many(words)) => words,
    })
}
