//! Role definitions as Azure's tools write them.

use serde_json::{Map, Value};

use crate::{Role, RoleError, RoleId, ScopePattern};

/// Bytes of a definition, or of a list of them: all of Azure's built-in roles are 1.5 MB.
pub const MAX_DEFINITION: usize = 4 << 20;
/// Definitions in one text.
const MAX_ROLES: usize = 2000;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Custom roles, in the order of the text.
    pub roles: Vec<Role>,
    /// What a person should know: roles that are here already, actions that mean nothing here, scopes that were widened.
    pub notes: Vec<String>,
}

pub(super) fn import(json: &str, mut fresh: impl FnMut() -> RoleId) -> Result<Imported, RoleError> {
    if json.len() > MAX_DEFINITION {
        return Err(RoleError::TooLarge { found: json.len(), limit: MAX_DEFINITION });
    }
    let value: Value = serde_json::from_str(json)
        .map_err(|error| RoleError::Json { line: error.line(), column: error.column() })?;
    let found = match value {
        Value::Array(all) => all,
        Value::Object(mut object) => match object.remove("value") {
            Some(Value::Array(all)) => all,
            _ => vec![Value::Object(object)],
        },
        _ => return Err(field("", "definition", "is an object, or a list of objects")),
    };
    if found.len() > MAX_ROLES {
        return Err(field("", "definition", "is at most 2000 roles"));
    }
    let mut imported = Imported::default();
    for value in found {
        let Value::Object(object) = value else { return Err(field("", "definition", "is an object")) };
        one(&object, &mut fresh, &mut imported)?;
    }
    Ok(imported)
}

fn one(
    outer: &Map<String, Value>,
    fresh: &mut impl FnMut() -> RoleId,
    into: &mut Imported,
) -> Result<(), RoleError> {
    // The resource manager puts everything but the number one level down.
    let inner = get(outer, "properties").and_then(Value::as_object).unwrap_or(outer);
    let name = text(inner, "roleName").or_else(|| text(inner, "name")).unwrap_or_default();
    let id = ["id", "name"].iter().find_map(|key| number(text(outer, key)?));
    if let Some(known) = id.and_then(|id| Role::built_in().iter().find(|role| role.id == id)) {
        into.notes.push(format!("{}: built in already, nothing to import", known.name));
        return Ok(());
    }
    let blocks = get(inner, "permissions").and_then(Value::as_array);
    let permissions = match blocks.map(Vec::as_slice) {
        None => inner,
        Some([block]) => block.as_object().ok_or_else(|| field(name, "permissions", "holds an object"))?,
        Some(blocks) => return Err(RoleError::Blocks { role: shown(name), found: blocks.len() }),
    };
    if get(permissions, "condition").is_some_and(|condition| !condition.is_null()) {
        return Err(RoleError::Conditional { role: shown(name) });
    }
    let mut role = Role::new(id.unwrap_or_else(fresh), name);
    text(inner, "description").unwrap_or_default().clone_into(&mut role.description);
    role.actions = list(permissions, name, "actions")?;
    role.not_actions = list(permissions, name, "notActions")?;
    role.data_actions = list(permissions, name, "dataActions")?;
    role.not_data_actions = list(permissions, name, "notDataActions")?;
    role.assignable_scopes = scopes(&list(inner, name, "assignableScopes")?, name, &mut into.notes)?;
    role.check()?;
    let unknown: Vec<&str> = role.unknown().collect();
    if !unknown.is_empty() {
        into.notes.push(format!("{name}: these actions mean nothing here: {}", unknown.join(", ")));
    }
    into.roles.push(role);
    Ok(())
}

/// Azure's scopes name subscriptions, which there are none of here.
fn scopes(found: &[String], role: &str, notes: &mut Vec<String>) -> Result<Vec<ScopePattern>, RoleError> {
    let foreign = |scope: &str| {
        let scope = scope.to_ascii_lowercase();
        ["/subscriptions/", "/providers/"].iter().any(|start| scope.starts_with(start))
    };
    let mut scopes = Vec::new();
    for scope in found {
        if foreign(scope) {
            notes.push(format!("{role}: `{}` became `/`: there are no subscriptions here", shown(scope)));
            scopes.push(ScopePattern::root());
        } else {
            scopes.push(scope.parse().map_err(|error| field(role, "assignableScopes", &format!("{error}")))?);
        }
    }
    if scopes.is_empty() {
        scopes.push(ScopePattern::root());
    }
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// A field, whatever its case: `az role definition create` writes `Actions`, everything else `actions`.
fn get<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object
        .get(key)
        .or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value))
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    get(object, key).and_then(Value::as_str)
}

fn list(object: &Map<String, Value>, role: &str, key: &'static str) -> Result<Vec<String>, RoleError> {
    let wrong = || field(role, key, "is a list of texts");
    match get(object, key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => {
            all.iter().map(|entry| entry.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// The number at the end of an id such as `/providers/Microsoft.Authorization/roleDefinitions/…`.
fn number(text: &str) -> Option<RoleId> {
    text.rsplit('/').next()?.parse().ok()
}

fn field(role: &str, field: &'static str, problem: &str) -> RoleError {
    RoleError::Field { role: shown(role), field, problem: problem.to_owned() }
}

/// Messages go to terminals, and the file may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
