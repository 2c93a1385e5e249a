//! Credentials where podman and Docker keep them (containers-auth.json(5); `docker login`).

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Credentials;

/// Bytes of a credentials file. Real ones have a line or two per registry.
const MAX_FILE: u64 = 1 << 20;
/// The key Docker Hub has had since its first days.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// The first credentials for `name`, a host or a repository with its host, in any of the files.
pub fn find(name: &str) -> Option<Credentials> {
    files(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
        .iter()
        .find_map(|file| in_file(file, name))
}

/// The files to look into, in podman's order.
fn files(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = variable("HOME");
    let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home.clone()?.join(".config")));
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(home?.join(".docker")));
    [
        variable("REGISTRY_AUTH_FILE"),
        variable("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
        config.map(|dir| dir.join("containers/auth.json")),
        docker.map(|dir| dir.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn in_file(file: &Path, name: &str) -> Option<Credentials> {
    let small = fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_FILE);
    let text = Zeroizing::new(small.then(|| fs::read(file).ok()).flatten()?);
    in_text(&text, name)
}

fn in_text(text: &[u8], name: &str) -> Option<Credentials> {
    #[derive(Deserialize)]
    struct Stored {
        #[serde(default)]
        auths: BTreeMap<String, Auth>,
    }
    let stored: Stored = serde_json::from_slice(text).ok()?;
    // The longest key that covers the repository counts: `host/team/app`, `host/team`, `host`.
    let mut keys = vec![name];
    while let Some((shorter, _)) = keys.last().and_then(|key| key.rsplit_once('/')) {
        keys.push(shorter);
    }
    let covers = |key: &str, written: &str| {
        let bare = written.trim_start_matches("https://").trim_start_matches("http://");
        let bare = bare.trim_end_matches('/').trim_end_matches("/v1").trim_end_matches("/v2");
        bare == key || (key == "docker.io" && (written == DOCKER_HUB_KEY || bare == "index.docker.io"))
    };
    keys.iter().find_map(|key| {
        stored
            .auths
            .iter()
            .filter(|(written, _)| covers(key, written))
            .find_map(|(_, auth)| auth.credentials())
    })
}

#[derive(Deserialize)]
struct Auth {
    #[serde(rename = "auth")]
    pair: Option<Zeroizing<String>>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Zeroizing<String>>,
}

impl Auth {
    fn credentials(&self) -> Option<Credentials> {
        let (username, password) = match (&self.pair, &self.username, &self.password) {
            (Some(pair), _, _) if !pair.is_empty() => {
                let pair = Zeroizing::new(STANDARD.decode(pair.as_bytes()).ok()?);
                let pair = std::str::from_utf8(&pair).ok()?;
                let (username, password) = pair.split_once(':')?;
                // Docker fills up with zeros.
                (username.to_owned(), Zeroizing::new(password.trim_end_matches('\0').to_owned()))
            }
            (_, Some(username), Some(password)) => (username.clone(), password.clone()),
            _ if self.identitytoken.is_some() => (String::new(), Zeroizing::default()),
            _ => return None, // kept by a credential helper, or not at all
        };
        let identity_token = self.identitytoken.clone().filter(|token| !token.is_empty());
        Some(Credentials { username, password, identity_token })
    }
}

#[cfg(test)]
mod tests {
    use boltseal_model::Reference;

    use super::*;

    #[test]
    fn finds_the_closest_key() {
        // a:b, c:d, e:f, g:h
        let text = br#"{"auths": {
            "example.org": {"auth": "YTpi"},
            "example.org/team": {"auth": "Yzpk"},
            "https://index.docker.io/v1/": {"auth": "ZTpm"},
            "http://127.0.0.1:5000/v2/": {"username": "g", "password": "h"},
            "helper.example.org": {},
            "broken.example.org": {"auth": "!!"}
        }}"#;
        for (reference, expected) in [
            ("example.org/app", Some(("a", "b"))),
            ("example.org/team/app:1", Some(("c", "d"))),
            ("example.org/teams/app", Some(("a", "b"))),
            ("debian", Some(("e", "f"))),
            ("127.0.0.1:5000/x", Some(("g", "h"))),
            ("helper.example.org/x", None),
            ("broken.example.org/x", None),
            ("elsewhere.example.org/x", None),
        ] {
            let found = in_text(text, &reference.parse::<Reference>().unwrap().name());
            let found = found.as_ref().map(|found| (found.username.as_str(), found.password.as_str()));
            assert_eq!(found, expected, "{reference}");
        }
        assert!(in_text(b"[]", "docker.io/library/debian").is_none());
    }

    #[test]
    fn looks_where_podman_and_docker_do() {
        let set = |name: &str| matches!(name, "HOME" | "XDG_RUNTIME_DIR").then(|| PathBuf::from(name));
        let found = files(set);
        let expected = [
            "XDG_RUNTIME_DIR/containers/auth.json",
            "HOME/.config/containers/auth.json",
            "HOME/.docker/config.json",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
