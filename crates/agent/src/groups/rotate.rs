//! Secrets of a group that runs, replaced: each volume's files in one step, and whatever starts from then on has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::groups as api;
use boltseal_runtime::plan::Source;
use zeroize::Zeroizing;

use super::{
    Engine, Error,
    engine::{is_there, lock},
    group::Group,
    volumes,
};

impl Engine {
    /// Replaces files of secret volumes, by `VOLUME/FILE`, in base64. They are remembered, and in every container that
    /// mounts the volume, when this comes back. The value is in no log, its name is.
    ///
    /// # Errors
    /// Where there is no such group or file; nothing is replaced then.
    pub async fn rotate(&self, name: &str, secrets: BTreeMap<String, String>) -> Result<api::Group, Error> {
        let group = self.group(name)?;
        let gone = group.turn.lock().await;
        is_there(&group, *gone)?;
        let fresh = fresh(&group, &secrets)?;
        let names: Vec<&str> = secrets.keys().map(String::as_str).collect();
        self.write("group.rotate", name, None, vec![("what", names.join(", "))])?;
        {
            let mut kept = lock(&group.kept);
            let before = kept.run.secrets.clone();
            kept.run.secrets.extend(secrets);
            if let Err(error) = kept.write(&group.places.kept()) {
                // The next agent would have the old ones.
                kept.run.secrets = before;
                return Err(error);
            }
        }
        let volumes: BTreeSet<String> = fresh.keys().cloned().collect();
        for (volume, files) in fresh {
            lock(&group.secrets).entry(volume).or_default().extend(files);
        }
        let of_group = Arc::clone(&group);
        let placed = tokio::task::spawn_blocking(move || place(&of_group, &volumes));
        placed.await.map_err(|_| Error::Stopping)??;
        Ok(group.shown())
    }
}

/// By volume and file, where the group has them.
fn fresh(group: &Group, secrets: &BTreeMap<String, String>) -> Result<volumes::Secrets, Error> {
    let there = lock(&group.secrets);
    let mut fresh = volumes::Secrets::new();
    for (name, value) in secrets {
        let known = name
            .split_once('/')
            .filter(|(volume, file)| there.get(*volume).is_some_and(|files| files.contains_key(*file)));
        let Some((volume, file)) = known else {
            let files = there
                .iter()
                .flat_map(|(volume, files)| files.keys().map(move |file| format!("{volume}/{file}")));
            let files: Vec<String> = files.collect();
            let has = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
            return Err(Error::Definition(format!(
                "{} has no file {name} in a secret volume (it has {has}); a variable cannot be changed while a container \
                 runs",
                group.name
            )));
        };
        let value = STANDARD
            .decode(value)
            .map_err(|_| Error::Definition(format!("the secret {name} is not in base64")))?;
        fresh.entry(volume.to_owned()).or_default().insert(file.to_owned(), Zeroizing::new(value));
    }
    if fresh.is_empty() {
        return Err(Error::Definition("it names no secret".to_owned()));
    }
    Ok(fresh)
}

/// In containers that were started; others get them when they are.
fn place(group: &Group, volumes: &BTreeSet<String>) -> Result<(), Error> {
    for one in &group.containers {
        for mount in &one.plan.mounts {
            let Source::Volume(name) = &mount.what else { continue };
            if volumes.contains(name) && volumes::is_prepared(group, one, name) {
                volumes::place(group, one, name)?;
            }
        }
    }
    Ok(())
}
