//! The file in which `kubectl` keeps clusters and users (`v1` of `Config`; Kubernetes documentation, "Organizing Cluster
//! Access Using kubeconfig Files").

use std::{
    env,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_wire::client::Identity;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{exit::Failure, given};

/// Those with a hundred clusters have half a megabyte.
const MAX_FILE: usize = 4 << 20;
/// Where a pod finds its API server and its own token.
const POD: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Which cluster, and as whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub struct Access {
    /// File with clusters and users [default: the first in `KUBECONFIG`, else ~/.kube/config, else the pod's own account]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of it [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// File with a token, instead of what the context's user signs in with
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Everything that is needed to ask.
pub struct Reached {
    pub name: String,
    pub user: String,
    pub address: String,
    /// In PEM; the system's where there are none.
    pub authorities: Option<String>,
    pub insecure: bool,
    pub login: Login,
}

/// How somebody proves who they are.
pub enum Login {
    Header(Zeroizing<String>),
    Certificate(Identity),
    Nobody,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "current-context", default)]
    current: String,
    #[serde(default)]
    clusters: Vec<Named<ClusterEntry>>,
    #[serde(default)]
    contexts: Vec<Named<ContextEntry>>,
    #[serde(default)]
    users: Vec<Named<UserEntry>>,
}

#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(alias = "cluster", alias = "context", alias = "user")]
    value: T,
}

#[derive(Deserialize)]
struct ContextEntry {
    cluster: String,
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ClusterEntry {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct UserEntry {
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
    #[serde(rename = "tokenFile")]
    token_file: Option<PathBuf>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    exec: Option<Exec>,
    auth_provider: Option<Provider>,
}

#[derive(Deserialize)]
struct Exec {
    #[serde(default)]
    command: String,
}

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    name: String,
}

impl Access {
    /// Reads the file, and what it points to.
    pub fn read(&self) -> Result<Reached, Failure> {
        let Some(path) = self.file() else { return self.own() };
        let read = |text: &str| serde_saphyr::from_str::<File>(text).map_err(|wrong| wrong.to_string());
        let file = read(&given::bounded(&path, MAX_FILE)?)
            .map_err(|wrong| Failure::usage(format_args!("{} is no kubeconfig: {wrong}", path.display())))?;
        let name = self.context.as_ref().unwrap_or(&file.current);
        let missing = |what: &str, name: &str, known: Vec<&str>| {
            Failure::usage(format_args!("{} has no {what} `{name}`", path.display()))
                .next(format!("it has: {}", known.join(", ")))
        };
        let context = named(&file.contexts, name).ok_or_else(|| {
            missing("context", name, file.contexts.iter().map(|one| one.name.as_str()).collect())
        })?;
        let cluster = named(&file.clusters, &context.cluster).ok_or_else(|| {
            missing("cluster", &context.cluster, file.clusters.iter().map(|one| one.name.as_str()).collect())
        })?;
        let nobody = UserEntry::default();
        let user = match named(&file.users, &context.user) {
            Some(user) => user,
            None if context.user.is_empty() => &nobody,
            None => {
                let known = file.users.iter().map(|one| one.name.as_str()).collect();
                return Err(missing("user", &context.user, known));
            }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let authorities = cluster.authorities(folder)?;
        cluster.supported()?;
        Ok(Reached {
            name: context.cluster.clone(),
            user: context.user.clone(),
            address: address(&cluster.server)?,
            authorities,
            insecure: cluster.insecure_skip_tls_verify,
            login: match &self.token_file {
                Some(token) => bearer(token)?,
                None => user.login(folder, &context.user)?,
            },
        })
    }

    fn file(&self) -> Option<PathBuf> {
        let named = || {
            let all = env::var_os("KUBECONFIG")?;
            env::split_paths(&all).find(|path| !path.as_os_str().is_empty())
        };
        let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".kube/config"));
        let usual = || home().filter(|path| path.exists() || !Path::new(POD).exists());
        self.kubeconfig.clone().or_else(named).or_else(usual)
    }

    /// As the account of the pod that this runs in.
    fn own(&self) -> Result<Reached, Failure> {
        let at = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        let (Some(host), Some(port)) = (at("KUBERNETES_SERVICE_HOST"), at("KUBERNETES_SERVICE_PORT")) else {
            return Err(Failure::usage("no cluster: there is no kubeconfig, and this is no pod")
                .next("name one with --kubeconfig FILE"));
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let token = Path::new(POD).join("token");
        Ok(Reached {
            name: "in-cluster".to_owned(),
            user: "the pod's account".to_owned(),
            address: address(&format!("https://{host}:{port}"))?,
            authorities: Some(given::bounded(&Path::new(POD).join("ca.crt"), MAX_FILE)?),
            insecure: false,
            login: bearer(self.token_file.as_ref().unwrap_or(&token))?,
        })
    }
}

impl ClusterEntry {
    fn authorities(&self, folder: &Path) -> Result<Option<String>, Failure> {
        match (&self.certificate_authority_data, &self.certificate_authority) {
            (Some(data), _) => decoded("certificate-authority-data", data).map(|text| Some(text.to_string())),
            (None, Some(file)) => given::bounded(&folder.join(file), MAX_FILE).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn supported(&self) -> Result<(), Failure> {
        let unknown =
            |field: &str| Failure::usage(format_args!("`{field}` of a cluster is not supported here"));
        if self.tls_server_name.is_some() {
            return Err(unknown("tls-server-name").next("use an address that the certificate names"));
        }
        if self.proxy_url.is_some() {
            return Err(unknown("proxy-url").next("set HTTPS_PROXY instead"));
        }
        Ok(())
    }
}

impl UserEntry {
    fn login(&self, folder: &Path, name: &str) -> Result<Login, Failure> {
        if let Some(exec) = &self.exec {
            return Err(foreign(name, &format!("the program `{}`, which is not run here", exec.command)));
        }
        if let Some(provider) = &self.auth_provider {
            return Err(foreign(name, &format!("`{}`, which is gone from Kubernetes", provider.name)));
        }
        if let Some(token) = &self.token {
            return header("Bearer ", token);
        }
        if let Some(file) = &self.token_file {
            return bearer(&folder.join(file));
        }
        let certificate = part(
            "client-certificate",
            self.client_certificate_data.as_deref(),
            self.client_certificate.as_ref(),
            folder,
        )?;
        let key = self.client_key_data.as_ref().map(|text| text.as_str());
        let key = part("client-key", key, self.client_key.as_ref(), folder)?;
        match (certificate, key, &self.username, &self.password) {
            (Some(certificate), Some(key), ..) => {
                Ok(Login::Certificate(Identity { certificate: certificate.to_string(), key }))
            }
            (None, None, Some(user), Some(password)) => {
                let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
                header("Basic ", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))
            }
            (None, None, ..) => Ok(Login::Nobody),
            _ => Err(Failure::usage(format_args!(
                "the user `{name}` has a certificate without its key, or a key alone"
            ))),
        }
    }
}

fn foreign(user: &str, how: &str) -> Failure {
    Failure::usage(format_args!("the user `{user}` of the kubeconfig signs in with {how}")).next(
        "give a token: kubectl create token ACCOUNT -n NAMESPACE > token && chmod 600 token, then --token-file token",
    )
}

fn named<'a, T>(all: &'a [Named<T>], name: &str) -> Option<&'a T> {
    all.iter().find(|one| one.name == name).map(|one| &one.value)
}

/// A text of the file itself, or the file that it names.
fn part(
    field: &str,
    data: Option<&str>,
    file: Option<&PathBuf>,
    folder: &Path,
) -> Result<Option<Zeroizing<String>>, Failure> {
    match (data, file) {
        (Some(data), _) => decoded(&format!("{field}-data"), data).map(Some),
        (None, Some(file)) => {
            given::bounded(&folder.join(file), MAX_FILE).map(|text| Some(Zeroizing::new(text)))
        }
        (None, None) => Ok(None),
    }
}

fn decoded(field: &str, data: &str) -> Result<Zeroizing<String>, Failure> {
    let bytes = STANDARD.decode(data.trim()).map(Zeroizing::new).ok();
    let text = bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok().map(str::to_owned));
    text.map(Zeroizing::new)
        .ok_or_else(|| Failure::usage(format_args!("`{field}` of the kubeconfig is no base64 of a PEM text")))
}

fn bearer(file: &Path) -> Result<Login, Failure> {
    header("Bearer ", &Zeroizing::new(given::bounded(file, MAX_FILE)?))
}

/// What goes into a header must not be able to add lines to it.
fn header(scheme: &str, text: &str) -> Result<Login, Failure> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(
            "the token of the kubeconfig's user is empty, or has signs that no token has",
        ));
    }
    Ok(Login::Header(Zeroizing::new(format!("{scheme}{text}"))))
}

fn address(text: &str) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("`{text}` is no address of an API server: {why}"));
    let url = url::Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if url.scheme() != "https" {
        return Err(wrong("credentials would go there without encryption"));
    }
    if !url.has_host() || url.query().is_some() || !url.username().is_empty() {
        return Err(wrong("write https://HOST:PORT"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
