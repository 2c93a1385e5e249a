//! What runs on nodes: as their agents say it, and who of it has something.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `PUT /api/v1/hosts/{host}/running` | [`Reported`] | nothing |
//! | `GET /api/v1/running?what=CVE-2024-3094` | | [`Places`] |
//! | `GET /api/v1/running?container=shop/web` | | [`Places`] |

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
    /// The packages of which it was seen to execute or load a file. `None`: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<Vec<UsedPackage>>,
}

/// A package that a container uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UsedPackage {
    /// Its name.
    pub package: String,
    /// As installed.
    pub version: String,
    /// `executed` or `loaded`.
    pub how: Used,
}

/// What a container was seen to do with a package that its image has, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Used {
    /// It is there. Not that it is unused: nobody sees what happens between two looks.
    Present,
    /// A file of it was mapped as code.
    Loaded,
    /// A file of it was executed.
    Executed,
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
    /// Whether it uses that package, as far as its node saw. `None`: its node does not know, or a digest was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
}
