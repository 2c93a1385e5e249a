//! From where it was done, and to what.

use std::net::IpAddr;

use boltseal_model::Digest;

/// From where a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The peer's address, as the socket or a trusted proxy says.
    pub address: Option<IpAddr>,
    /// The peer's port.
    pub port: Option<u16>,
    /// What the client says it is (User-Agent). Any text.
    pub agent: Option<String>,
    /// By which door it came in.
    pub door: Door,
    /// The cluster or host that reported it, for an ingested record.
    pub host: Option<String>,
}

impl Source {
    /// By a door, from nowhere in particular.
    pub const fn new(door: Door) -> Self {
        Self { address: None, port: None, agent: None, door, host: None }
    }

    /// From this machine, not over a socket.
    pub const fn local() -> Self {
        Self::new(Door::Local)
    }

    /// Over HTTPS.
    pub fn https(address: impl Into<IpAddr>, port: u16) -> Self {
        Self { address: Some(address.into()), port: Some(port), ..Self::new(Door::Https) }
    }

    /// Over plain HTTP on loopback.
    pub fn plain(address: impl Into<IpAddr>, port: u16) -> Self {
        Self { address: Some(address.into()), port: Some(port), ..Self::new(Door::Plain) }
    }

    /// Adds what the client says it is.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// Adds the cluster or host that reported it.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }
}

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// The HTTPS port.
    Https,
    /// The plain HTTP port, on loopback only.
    Plain,
    /// The command line or the server itself.
    Local,
    /// Reported by a Kubernetes API server.
    Kubernetes,
    /// Reported by a Docker engine.
    Docker,
    /// Reported by the agent of a node, about what it runs.
    Agent,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 6] =
        [Self::Https, Self::Plain, Self::Local, Self::Kubernetes, Self::Docker, Self::Agent];

    /// The word in `unmapped.door`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Plain => "plain",
            Self::Local => "local",
            Self::Kubernetes => "kubernetes",
            Self::Docker => "docker",
            Self::Agent => "agent",
        }
    }

    /// The door with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.name() == text)
    }
}

/// To what something was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Where in the tree of scopes, such as `/registries/main/repositories/team/a`.
    pub scope: String,
    /// A name inside it: a tag, a user, a role, a file.
    pub name: Option<String>,
    /// The bytes it is about.
    pub digest: Option<Digest>,
}

impl Subject {
    /// A scope.
    pub fn new(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), name: None, digest: None }
    }

    /// Adds a name inside the scope.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds the digest of the bytes it is about.
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }
}
