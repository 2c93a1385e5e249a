//! What kinds of things happen, and which OCSF class and activity each is.

/// An OCSF event class, <https://schema.ocsf.io/1.8.0/classes>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// 3001: accounts of users and principals.
    Account,
    /// 3002: signing in and out, and getting tokens.
    Authentication,
    /// 3005: roles given and taken away.
    Access,
    /// 6002: starting and stopping.
    Lifecycle,
    /// 6003: every other call.
    Api,
}

impl Class {
    /// Every class, by number.
    pub const ALL: [Self; 5] =
        [Self::Account, Self::Authentication, Self::Access, Self::Lifecycle, Self::Api];

    /// OCSF's `class_uid`.
    pub const fn uid(self) -> u32 {
        match self {
            Self::Account => 3001,
            Self::Authentication => 3002,
            Self::Access => 3005,
            Self::Lifecycle => 6002,
            Self::Api => 6003,
        }
    }

    /// OCSF's `category_uid`: 3 is identity and access, 6 is applications.
    pub const fn category(self) -> u32 {
        self.uid() / 1000
    }

    /// OCSF's caption.
    pub const fn caption(self) -> &'static str {
        match self {
            Self::Account => "Account Change",
            Self::Authentication => "Authentication",
            Self::Access => "User Access Management",
            Self::Lifecycle => "Application Lifecycle",
            Self::Api => "API Activity",
        }
    }

    /// The word for filters and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Authentication => "authentication",
            Self::Access => "access",
            Self::Lifecycle => "lifecycle",
            Self::Api => "api",
        }
    }

    /// The class with this name or number.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == text || text.parse() == Ok(class.uid()))
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// Something new: an image pushed, a feed installed, an exception made.
    Create,
    /// Something looked at: a pull, an admin's read.
    Read,
    /// Something changed: a tag moved, a policy edited, a setting.
    Update,
    /// Something removed.
    Delete,
    /// A verdict about an image, or its change.
    Judge,
    /// Somebody went into a running container or opened a way to it.
    Connect,
    /// An API call of another kind.
    Other,
    /// Somebody signed in, or tried.
    SignIn,
    /// Somebody signed out.
    SignOut,
    /// A token was asked for.
    Issue,
    /// A role was assigned.
    Grant,
    /// An assignment was removed.
    Revoke,
    /// A user or principal was added.
    AddUser,
    /// A user or principal was changed.
    ChangeUser,
    /// A user or principal was removed.
    RemoveUser,
    /// May sign in again.
    EnableUser,
    /// May not sign in any more.
    DisableUser,
    /// A password or another secret of an account was changed.
    ChangePassword,
    /// A second factor was set up.
    AddFactor,
    /// A second factor was taken away.
    RemoveFactor,
    /// The server, a role of it, or a container started.
    Start,
    /// The server, a role of it, or a container stopped.
    Stop,
}

/// What OCSF calls an activity that the class has no number for.
const OTHER: u32 = 99;

impl Activity {
    /// Every activity.
    pub const ALL: [Self; 22] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Judge,
        Self::Connect,
        Self::Other,
        Self::SignIn,
        Self::SignOut,
        Self::Issue,
        Self::Grant,
        Self::Revoke,
        Self::AddUser,
        Self::ChangeUser,
        Self::RemoveUser,
        Self::EnableUser,
        Self::DisableUser,
        Self::ChangePassword,
        Self::AddFactor,
        Self::RemoveFactor,
        Self::Start,
        Self::Stop,
    ];

    /// The OCSF class, `activity_id` in it, and `activity_name`: OCSF's caption, or our word where the id is 99.
    pub const fn ocsf(self) -> (Class, u32, &'static str) {
        match self {
            Self::Create => (Class::Api, 1, "Create"),
            Self::Read => (Class::Api, 2, "Read"),
            Self::Update => (Class::Api, 3, "Update"),
            Self::Delete => (Class::Api, 4, "Delete"),
            Self::Judge => (Class::Api, OTHER, "Judge"),
            Self::Connect => (Class::Api, OTHER, "Connect"),
            Self::Other => (Class::Api, OTHER, "Other"),
            Self::SignIn => (Class::Authentication, 1, "Logon"),
            Self::SignOut => (Class::Authentication, 2, "Logoff"),
            Self::Issue => (Class::Authentication, OTHER, "Issue Token"),
            Self::Grant => (Class::Access, 1, "Assign Privileges"),
            Self::Revoke => (Class::Access, 2, "Revoke Privileges"),
            Self::AddUser => (Class::Account, 1, "Create"),
            Self::ChangeUser => (Class::Account, OTHER, "Update"),
            Self::RemoveUser => (Class::Account, 6, "Delete"),
            Self::EnableUser => (Class::Account, 2, "Enable"),
            Self::DisableUser => (Class::Account, 5, "Disable"),
            Self::ChangePassword => (Class::Account, 3, "Password Change"),
            Self::AddFactor => (Class::Account, 10, "MFA Factor Enable"),
            Self::RemoveFactor => (Class::Account, 11, "MFA Factor Disable"),
            Self::Start => (Class::Lifecycle, 3, "Start"),
            Self::Stop => (Class::Lifecycle, 4, "Stop"),
        }
    }

    /// The OCSF class.
    pub const fn class(self) -> Class {
        self.ocsf().0
    }

    /// OCSF's `type_uid`: class times 100 plus activity.
    pub const fn type_uid(self) -> u32 {
        let (class, id, _) = self.ocsf();
        class.uid() * 100 + id
    }

    /// The word for filters, the command line and the dashboard.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Judge => "judge",
            Self::Connect => "connect",
            Self::Other => "other",
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::Issue => "issue",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::AddUser => "add-user",
            Self::ChangeUser => "change-user",
            Self::RemoveUser => "remove-user",
            Self::EnableUser => "enable-user",
            Self::DisableUser => "disable-user",
            Self::ChangePassword => "change-password",
            Self::AddFactor => "add-factor",
            Self::RemoveFactor => "remove-factor",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }

    /// The activity with this name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activity| activity.name() == text)
    }

    /// The activity that OCSF's three fields stand for; one that is not ours is [`Activity::Other`] of API Activity.
    pub(super) fn of_ocsf(class: u32, id: u32, name: &str) -> Option<Self> {
        let of_class = || Self::ALL.into_iter().filter(|activity| activity.class().uid() == class);
        of_class()
            .find(|activity| {
                let (_, known, caption) = activity.ocsf();
                known == id && (id != OTHER || caption == name)
            })
            .or_else(|| of_class().find(|activity| *activity == Self::Other))
    }
}
