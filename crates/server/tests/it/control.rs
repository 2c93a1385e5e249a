//! Who may do what, changed over the API: who is let, what comes of it, and what the log says.

mod credentials;
mod glass;
mod grants;
mod people;

use serde_json::{Value, json};

pub use credentials::code_of;

use crate::app::{App, token};

/// Asks as somebody, by name; with nothing, as nobody.
pub async fn call(app: &App, who: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let token = if who.is_empty() { String::new() } else { token(&app.state, who) };
    call_with(app, &token, method, path, body).await
}

/// Asks with a token.
pub async fn call_with(app: &App, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", &bearer));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = app.ask(method, path, &headers, &body).await;
    let value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer.status.as_u16(), value)
}

/// Makes a principal and gives it roles at scopes; its first secret, where it has one.
pub async fn principal(app: &App, kind: &str, name: &str, roles: &[(&str, &str)]) -> String {
    let mut asked = json!({ "kind": kind, "name": name });
    if kind == "user" {
        asked["password"] = json!("seven words that do not belong");
    }
    let (status, made) = call(app, "admin", "POST", "/api/v1/principals", &asked).await;
    assert_eq!(status, 201, "{made}");
    for (role, scope) in roles {
        let asked = json!({ "principal": name, "role": role, "scope": scope });
        let (status, made) = call(app, "admin", "POST", "/api/v1/role-assignments", &asked).await;
        assert_eq!(status, 201, "{made}");
    }
    made["secret"].as_str().unwrap_or_default().to_owned()
}

/// Everything recorded so far, newest last.
pub async fn records(app: &App) -> Vec<Value> {
    let batches = app.state.facts.batches(0, 10_000).await.unwrap();
    let entries = batches.iter().flat_map(|batch| &batch.entries);
    entries.map(|entry| serde_json::from_slice(entry).unwrap()).collect()
}

/// The newest record.
pub async fn newest(app: &App) -> Value {
    records(app).await.pop().unwrap()
}
