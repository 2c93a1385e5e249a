//! Numbers of things, each of its own type so that none is taken for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

macro_rules! id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub Uuid);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $type {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// Which principal.
    PrincipalId
}
id! {
    /// Which role; Azure's own number for Azure's roles.
    RoleId
}
id! {
    /// Which assignment; the audit log names it as the reason of whatever it granted.
    AssignmentId
}

impl PrincipalId {
    /// Everybody, signed in or not: what is given to it may be done without signing in.
    pub const ANONYMOUS: Self = Self(uuid!("b0175ea1-0000-4000-8000-000000000001"));
    /// Everybody who signed in, as a group.
    pub const AUTHENTICATED: Self = Self(uuid!("b0175ea1-0000-4000-8000-000000000002"));
    /// The server itself, as the author of what it does unasked.
    pub const SYSTEM: Self = Self(uuid!("b0175ea1-0000-4000-8000-000000000003"));
    /// Whoever opened a break-glass session.
    pub const BREAK_GLASS: Self = Self(uuid!("b0175ea1-0000-4000-8000-000000000004"));

    /// Whether it exists in every directory and cannot be edited.
    pub fn is_well_known(self) -> bool {
        [Self::ANONYMOUS, Self::AUTHENTICATED, Self::SYSTEM, Self::BREAK_GLASS].contains(&self)
    }
}

impl RoleId {
    /// Everything of the control plane, and giving roles.
    pub const OWNER: Self = Self(uuid!("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
    /// Everything, for an hour, in sight of everybody.
    pub const BREAK_GLASS: Self = Self(uuid!("b0175ea1-0000-4000-9000-000000000003"));
}

impl AssignmentId {
    /// What lets a break-glass session do its work; it is in every directory.
    pub const BREAK_GLASS: Self = Self(uuid!("b0175ea1-0000-4000-a000-000000000001"));
}
