//! Tokens of workloads, for the containers that run as them.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /api/v1/workloads/{name}/token` | [`Asked`] | [`Token`] |
//! | `POST /api/v1/workloads/{name}/pull-token` | [`Pull`] | [`PullToken`] |
//!
//! The agent of a node asks, with its own credentials: when a container asks it, and when it pulls the image of a group whose
//! file names an identity for that; `name` is the workload's.

use serde::{Deserialize, Serialize};

/// For which container a token is, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What the token is to be good for: the address of this server, or one of Azure's resources that it stands for.
    pub resource: String,
    /// Id or name of the workload, where whoever asked in the container named one: the token is that one's, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The node, as scopes name it: `/hosts/NAME`.
    pub host: String,
    /// The group of the container.
    pub group: String,
    /// The container.
    pub container: String,
    /// The name of its image; what people decided about it in that repository counts.
    pub image: String,
    /// What the container was made of. It must be allowed now.
    pub digest: String,
}

/// Which image is pulled, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The node, as scopes name it: `/hosts/NAME`.
    pub host: String,
    /// The group that is run there.
    pub group: String,
    /// The image, by its name in the registry of this server.
    pub image: String,
}

/// What the registry takes for a password, of the user `00000000-0000-0000-0000-000000000000`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullToken {
    /// Good for pulling from the repository of that image, as far as the workload may.
    pub refresh_token: String,
    /// Seconds until it ends.
    pub expires_in: i64,
}

impl std::fmt::Debug for PullToken {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("PullToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// A token, as Azure's instance metadata service answers it, but for numbers that are numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Opaque to whoever gets it.
    pub access_token: String,
    /// Id of the workload.
    pub client_id: String,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// When it ends: seconds since 1970.
    pub expires_on: i64,
    /// What it is good for, as asked.
    pub resource: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Token")
            .field("client_id", &self.client_id)
            .field("expires_on", &self.expires_on)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
