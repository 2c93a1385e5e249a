//! What runs on nodes: as their agents say it, and who of it has something.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `PUT /api/v1/hosts/{host}/running` | [`Reported`] | nothing |
//! | `GET /api/v1/running?what=CVE-2024-3094` | | [`Places`] |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All that runs on a node, in place of what it said before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// Its containers.
    pub containers: Vec<Container>,
}

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// `GROUP/CONTAINER`.
    pub name: String,
    /// Of the manifest that it was made of.
    pub digest: String,
    /// As the group names it.
    pub image: String,
    /// Since when.
    pub since: Timestamp,
}

/// Who has what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// What was asked for.
    pub asked: String,
    /// Every node, in the order of their names: what a silent one runs by now is not known.
    pub nodes: Vec<Node>,
    /// Containers that have it, in the order of nodes and names.
    pub containers: Vec<Place>,
    /// Whether there are more than are told.
    pub more: bool,
    /// Containers of images that were never looked into here: whether they have it is not known.
    pub unknown: Vec<Place>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// As scopes name it: `/hosts/NAME`.
    pub host: String,
    /// When it said last what it runs.
    pub reported: Timestamp,
    /// Whether that was long ago: agents say it every minute.
    pub silent: bool,
}

/// A container that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The node.
    pub host: String,
    /// The container.
    #[serde(flatten)]
    pub container: Container,
    /// The package with the vulnerability, or the version of the package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub with: String,
}
