//! What there is after an agent was killed, or a machine started anew: found, made whole, or removed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use boltseal_runtime::start;

use super::{
    Error, ask,
    container::{self, Found},
    engine::{Inner, lock, network_of},
    group::{Group, Kept, Places, passable, private},
    volumes,
};

impl Inner {
    /// Ends a container by what the runtime calls it.
    fn end(&self, id: &str, state: &Path) -> Result<(), Error> {
        let cgroup = format!("/boltseal/{}", id.replacen('.', "/", 1));
        let wanted = start::End { id: id.to_owned(), state: state.to_owned(), cgroup };
        super::confine::end(&self.settings.program, wanted)
    }

    /// Removes all that the machine has of a group.
    pub fn clear(&self, places: &Places, name: &str) -> Result<(), Error> {
        for id in ids(&places.state)? {
            if id.split('.').next() == Some(name) {
                self.end(&id, &places.state)?;
            }
        }
        start::remove_cgroup(&format!("/boltseal/{name}"));
        volumes::remove(&places.run).map_err(Error::io(places.run.display()))?;
        for folder in [&places.run, &places.data] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io(folder.display())(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The groups that are remembered, with what is there of their containers. Whatever else is there is removed.
    pub fn find_all(&self) -> Result<Vec<(Group, Vec<Found>)>, Error> {
        let folder = self.settings.run.join("groups");
        private(&folder)?;
        passable(&folder)?;
        let mut groups = Vec::new();
        let entries = fs::read_dir(&folder).map_err(Error::io(folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(Error::io(folder.display()))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let places = Places::new(&self.settings, &name);
            match self.remembered(&places) {
                Ok(group) => {
                    let found = group.containers.iter().map(|one| {
                        container::find(&group, one, self.events.has_ended(&group.name, one.name()))
                    });
                    let found: Vec<Found> = found.collect();
                    groups.push((group, found));
                }
                // It was being made, and nobody was told that it is there.
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                    self.clear(&places, &name)?;
                }
                Err(error) => {
                    self.has_unread.store(true, Ordering::Relaxed);
                    tracing::error!(group = name, %error, "it cannot be kept: what runs of it goes on");
                }
            }
        }
        let known: BTreeSet<String> = groups.iter().map(|(group, _)| group.name.clone()).collect();
        let state = self.settings.run.join("state");
        for id in ids(&state)? {
            let of_group = id.split('.').next().unwrap_or_default();
            if !known.contains(of_group) && !folder.join(of_group).exists() {
                self.end(&id, &state)?;
                start::remove_cgroup(&format!("/boltseal/{of_group}"));
            }
        }
        // Logs of groups that are gone: whoever removed them was killed, or the machine started anew.
        for name in ids(&self.settings.data.join("groups"))? {
            if !known.contains(&name) && !folder.join(&name).exists() {
                self.clear(&Places::new(&self.settings, &name), &name)?;
            }
        }
        let wanted = groups.iter().filter_map(|(group, found)| {
            let namespace = network_of(found)?;
            Some((group.name.clone(), group.of_network(), namespace))
        });
        let wanted: Vec<_> = wanted.collect();
        let recovered =
            lock(&self.network).recover(&wanted).map_err(|error| Error::Runtime(error.to_string()))?;
        if !recovered.removed.is_empty() {
            tracing::info!(links = recovered.removed.len(), "removed links of groups that are gone");
        }
        Ok(groups)
    }

    fn remembered(&self, places: &Places) -> Result<Group, Error> {
        let kept = Kept::read(&places.kept())?;
        let read = ask::read(&kept.run)?;
        let mut layers = BTreeMap::new();
        for diff_id in kept.images.iter().flat_map(|image| &image.layers) {
            if let Some(layer) = self.layers.get(diff_id)? {
                layers.insert(diff_id.clone(), Arc::new(layer));
            }
        }
        let group = ask::group(kept, &read, layers, places.clone(), &self.host)?;
        group.serve(self.lines.serves(&group.service, &group.name));
        Ok(group)
    }
}

/// Names of the containers that the runtime has a state of.
fn ids(state: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(state) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(state.display()))?,
    };
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
