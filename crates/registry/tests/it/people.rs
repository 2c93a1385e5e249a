//! Who is known to the registry under test, and what they may do.

use boltseal_identity::{
    Assignment, AssignmentId, Authority, Credentials, Directory, Edit, Keys, Principal, PrincipalId,
    PrincipalKind, RootKey, token::Revoked,
};
use boltseal_model::Timestamp;
use uuid::Uuid;

/// Name, kind, and roles with the scopes where they hold.
type Person = (&'static str, PrincipalKind, &'static [(&'static str, &'static str)]);

const TEAM: &str = "/registries/main/repositories/team/*";
const PEOPLE: [Person; 6] = [
    (
        "admin",
        PrincipalKind::ServicePrincipal,
        &[
            ("Owner", "/"),
            ("Container Registry Repository Contributor", "/"),
            ("Container Registry Repository Catalog Lister", "/"),
        ],
    ),
    ("puller", PrincipalKind::ServicePrincipal, &[("AcrPull", TEAM)]),
    ("pusher", PrincipalKind::ServicePrincipal, &[("AcrPush", TEAM)]),
    ("inspector", PrincipalKind::ServicePrincipal, &[("AcrPull", TEAM), ("AcrQuarantineReader", TEAM)]),
    ("scanner", PrincipalKind::ServicePrincipal, &[("AcrQuarantineWriter", TEAM)]),
    ("nobody", PrincipalKind::ServicePrincipal, &[]),
];
/// What may be pulled without signing in.
const PUBLIC: (&str, &str) = ("Container Registry Repository Reader", "/registries/main/repositories/public");

/// Everybody, all with their own secrets: name and secret.
pub struct People {
    pub authority: Authority,
    pub secrets: Vec<(&'static str, String)>,
}

impl People {
    pub fn new() -> Self {
        let now = Timestamp::now();
        let mut directory = Directory::empty().unwrap();
        let mut secrets = Vec::new();
        let anonymous = (PrincipalId::ANONYMOUS, &[PUBLIC][..]);
        let mut grants = vec![anonymous];
        for (name, kind, roles) in PEOPLE {
            let mut credentials = Credentials::default();
            secrets.push((name, credentials.add_secret(now, None).unwrap().expose().to_owned()));
            let mut principal = Principal::new(PrincipalId(Uuid::new_v4()), kind, name.parse().unwrap());
            principal.credentials = credentials;
            grants.push((principal.id, roles));
            directory = directory.apply(Edit::CreatePrincipal(Box::new(principal)), now).unwrap().directory;
        }
        for (principal, role, scope) in
            grants.iter().flat_map(|(who, roles)| roles.iter().map(move |(role, scope)| (who, role, scope)))
        {
            let assignment = Assignment {
                id: AssignmentId(Uuid::new_v4()),
                principal: *principal,
                role: directory.role_named(role).unwrap().id,
                scope: scope.parse().unwrap(),
                condition: None,
                created: now,
                by: PrincipalId::SYSTEM,
                expires: None,
                reason: String::new(),
            };
            directory = directory.apply(Edit::Assign(assignment), now).unwrap().directory;
        }
        let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
        Self { authority: Authority::new(directory, keys, "boltseal", Revoked::new()), secrets }
    }

    pub fn secret(&self, name: &str) -> &str {
        self.secrets.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret.as_str()).unwrap()
    }

    pub fn edit(&self, edit: Edit) {
        let change = self.authority.directory().apply(edit, Timestamp::now()).unwrap();
        self.authority.replace(change.directory);
    }

    pub fn id(&self, name: &str) -> PrincipalId {
        self.authority.directory().principal_named(name).unwrap().id
    }
}
