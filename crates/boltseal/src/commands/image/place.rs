//! Which registry, as whom; and how people write where an image is.

use std::path::PathBuf;

use boltseal_api::client::{Client, Server};
use boltseal_image::{
    Credentials, Options, is_in_registry,
    remote::{
        Access, Name, Remote, Repository,
        copy::{Label, Place},
    },
    transport,
};
use boltseal_model::{Platform, Reference};
use serde::Deserialize;

use crate::{cli::Global, exit::Failure, reach, target::password};

/// How to reach a registry.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Registry")]
pub struct Connection {
    /// Name to sign in to the registry with; the password comes on standard input
    #[arg(long, global = true, value_name = "NAME")]
    username: Option<String>,
    /// Let the registry speak HTTP without TLS
    #[arg(long, global = true)]
    plain_http: bool,
    /// PEM file of the authority that vouches for the registry [default: as at the login]
    #[arg(long, global = true, value_name = "FILE", alias = "ca-file")]
    ca: Option<PathBuf>,
}

/// What `/oauth2/exchange` answers.
#[derive(Deserialize)]
struct Exchanged {
    refresh_token: String,
}

impl Connection {
    /// With what was said elsewhere.
    pub const fn new(username: Option<String>, plain_http: bool, ca: Option<PathBuf>) -> Self {
        Self { username, plain_http, ca }
    }

    /// The repository of `reference`.
    pub fn repository(&self, reference: &Reference, global: &Global) -> Result<Repository, Failure> {
        let remote = Remote::of(reference, &self.access(reference.registry(), global)?)?;
        Ok(remote.repository(reference.repository())?)
    }

    /// The registry at `host`.
    pub fn registry(&self, host: &str, global: &Global) -> Result<Remote, Failure> {
        Ok(Remote::connect(host, &self.access(host, global)?)?)
    }

    /// How to open an image that is in a registry, or in whatever else `boltseal scan` takes.
    pub fn options<'o>(
        &self,
        target: &str,
        platform: Option<&Platform>,
        global: &Global,
    ) -> Result<Options<'o>, Failure> {
        let mut options = Options::default();
        options.platform = platform.cloned();
        options.plain_http = self.plain_http;
        // What is no name of an image, whoever opens it says in the words of that.
        if is_in_registry(target)
            && let Ok(reference) = image(target)
        {
            let access = self.access(reference.registry(), global)?;
            options.credentials = access.credentials;
            options.plain_http = access.plain_http;
            options.ca_file = access.ca_file;
        }
        Ok(options)
    }

    /// Where an image goes: into a registry, or a folder with `oci:`.
    pub fn place(&self, text: &str, global: &Global) -> Result<Place, Failure> {
        self.at(text, global, |transport| {
            format!("copy it into such a folder, and then: skopeo copy oci:FOLDER:TAG {transport}…")
        })
    }

    /// Where one comes from, without the name and password that are meant for the destination.
    pub fn source(&self, text: &str, global: &Global) -> Result<Place, Failure> {
        let (ca, plain_http) = (self.ca.clone(), self.plain_http);
        let connection = Self::new(None, plain_http, ca);
        connection
            .at(text, global, |_| format!("make such a folder first: skopeo copy {text} oci:FOLDER:TAG"))
    }

    fn at(&self, text: &str, global: &Global, next: impl FnOnce(&str) -> String) -> Result<Place, Failure> {
        if let Some(rest) = text.strip_prefix("oci:") {
            return folder(rest);
        }
        if let Some(transport) = transport(text) {
            let why = format!(
                "`{text}`: images are copied between registries and folders (`oci:FOLDER:TAG`), not as `{transport}`"
            );
            return Err(Failure::usage(why).next(next(transport)));
        }
        let reference = image(text)?;
        Ok(Place::at(self.repository(&reference, global)?, Name::of(&reference)))
    }

    /// The server behind the registry at `host`, as whoever logged in there: for what registries of others have not.
    pub fn control(&self, host: &str, global: &Global) -> Result<Client, Failure> {
        Ok(Client::new(&self.login(host, global)?)?)
    }

    /// The same, as an address and a token.
    pub fn login(&self, host: &str, global: &Global) -> Result<Server, Failure> {
        let login = reach::at_registry(host, global)?.filter(|login| login.token.is_some());
        let mut server = login.ok_or_else(|| {
            Failure::undecided(format_args!("nobody is logged in to {host}"))
                .next(format!("run `boltseal login {host}`"))
        })?;
        if self.ca.is_some() {
            server.ca.clone_from(&self.ca);
        }
        Ok(server)
    }

    /// Authorities that vouch for the registry, and for other services of the same company.
    pub const fn ca(&self) -> Option<&PathBuf> {
        self.ca.as_ref()
    }

    fn access(&self, host: &str, global: &Global) -> Result<Access, Failure> {
        let login = reach::at_registry(host, global)?;
        let mut access = Access::default();
        access.plain_http = self.plain_http;
        access.ca_file = self.ca.clone().or_else(|| login.as_ref().and_then(|login| login.ca.clone()));
        if let Some(name) = &self.username {
            access.credentials = Some(Credentials::new(name, password()?));
        } else if let Some(login) = login
            && let Some(token) = login.token.clone()
        {
            let client = Client::new(&login)?;
            let fields =
                [("grant_type", "access_token"), ("service", host), ("access_token", token.as_str())];
            let exchanged: Exchanged = client.form("/oauth2/exchange", &fields)?;
            access.credentials = Some(Credentials::of_refresh_token(exchanged.refresh_token));
        }
        Ok(access)
    }
}

/// An image in a registry.
pub fn image(text: &str) -> Result<Reference, Failure> {
    let bare = text.strip_prefix("docker://").unwrap_or(text);
    bare.parse().map_err(|wrong| {
        Failure::usage(wrong).next("write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST")
    })
}

/// An image in a registry, of which people must say which one: what is done to it cannot be undone.
pub fn named_image(text: &str) -> Result<Reference, Failure> {
    let reference = image(text)?;
    let last = text.rsplit('/').next().unwrap_or(text);
    if last.contains([':', '@']) {
        return Ok(reference);
    }
    Err(Failure::usage(format_args!("`{text}` says neither tag nor digest"))
        .next(format!("write {text}:latest if that is meant")))
}

/// `FOLDER`, `FOLDER:TAG` or `FOLDER@DIGEST`.
fn folder(rest: &str) -> Result<Place, Failure> {
    if let Some((folder, digest)) = rest.rsplit_once('@')
        && let Ok(digest) = digest.parse()
    {
        return Ok(Place::layout(folder, Some(Label::Digest(digest))));
    }
    match rest.rsplit_once(':') {
        Some((folder, tag)) if Reference::is_tag(tag) && !folder.is_empty() => {
            Ok(Place::layout(folder, Some(Label::Tag(tag.to_owned()))))
        }
        _ if rest.is_empty() => Err(Failure::usage("`oci:` names no folder").next("write oci:FOLDER:TAG")),
        _ => Ok(Place::layout(rest, None)),
    }
}
