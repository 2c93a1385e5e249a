//! Where images of a group are taken from, and as whom.
//!
//! ```text
//! image ─given by whoever runs it─▶ that file or folder
//!       ─its registry in `imageRegistryCredentials`─▶ the name and password there, or a token of the identity there
//!       ─otherwise─▶ what podman and Docker remember of this machine's user, or nobody
//! ```
//!
//! An identity is a workload of the server that the agent knows: it gives a token that is good for pulling from the repository of
//! that image and from no other, and only if it is called as the image's registry is. Each time it is asked anew, so nothing of
//! it is remembered here.
//!
//! It must not know: what is in images, who may pull.

use boltseal_api::{groups::Run, workloads::Pull};
use boltseal_image::{Credentials, Options};
use boltseal_model::Reference;
use boltseal_orchestrator::aci::Registry;

use super::{Error, Judge, ask, engine::Inner};

/// What targets in registries begin with.
const REGISTRY: &str = "docker://";

impl Inner {
    /// Where an image is taken from, and how. May ask the server; for a thread that may wait.
    pub fn target(
        &self,
        run: &Run,
        read: &ask::Read,
        image: &str,
        handle: &tokio::runtime::Handle,
    ) -> Result<(String, Options<'static>), Error> {
        let mut options = Options::default();
        options.plain_http = run.plain_http;
        let target = run.images.get(image).cloned().unwrap_or_else(|| format!("{REGISTRY}{image}"));
        // By where it is taken from: nobody else gets what is meant for the registry of its name.
        if let Some(place) = target.strip_prefix(REGISTRY)
            && let Some(registry) = registry(place, &read.needs.registries)
        {
            options.credentials = Some(self.credentials(registry, &read.workload.id.name, place, handle)?);
        }
        Ok((target, options))
    }

    fn credentials(
        &self,
        registry: &Registry,
        group: &str,
        image: &str,
        handle: &tokio::runtime::Handle,
    ) -> Result<Credentials, Error> {
        let server = &registry.server;
        if let Some(password) = &registry.password {
            return Ok(Credentials::new(&registry.username, String::from_utf8_lossy(password).into_owned()));
        }
        let Some(identity) = &registry.identity else {
            return Err(Error::Definition(format!(
                "the password for {server} does not stand in the file; log in there with podman or docker, or write it"
            )));
        };
        let Judge::Server(gate) = &*self.judge else {
            return Err(Error::Definition(format!(
                "nobody gives this node tokens of {} for {server}: have the agent ask a server (--server)",
                identity.name
            )));
        };
        let asked =
            Pull { host: self.settings.host.clone(), group: group.to_owned(), image: image.to_owned() };
        let given = handle.block_on(gate.pull_token(&identity.name, asked));
        let token = given.map_err(|why| Error::Denied {
            why: format!("no token of {} to pull {image} with: {why}", identity.name),
            next: None,
        })?;
        Ok(Credentials::of_refresh_token(token.refresh_token))
    }
}

/// What the group has for the registry of an image.
fn registry<'a>(image: &str, registries: &'a [Registry]) -> Option<&'a Registry> {
    let name = image.parse::<Reference>().ok()?.name();
    registries.iter().find(|registry| {
        let server = registry.server.trim_start_matches("https://").trim_end_matches('/');
        name.strip_prefix(server).is_some_and(|rest| rest.starts_with('/'))
    })
}
