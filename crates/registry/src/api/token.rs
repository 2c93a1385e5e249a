//! `/token`: Docker token authentication (GET with Basic) and its OAuth 2 form (POST with a password grant).

use axum::extract::FromRequest as _;
use axum::{
    Form, Json,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use boltseal_model::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Answer, auth::basic};
use crate::{
    Registry,
    failure::{Code, Failure},
    identity::{Scope, TOKEN_LIFE},
    route::Query,
};

pub(super) async fn serve(State(registry): State<Registry>, request: Request) -> Response {
    let answer = match *request.method() {
        Method::GET => get(&registry, &request),
        Method::POST => post(&registry, request).await,
        _ => Err(Failure::new(Code::Unsupported, "GET or POST").header(header::ALLOW, "GET, POST")),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn get(registry: &Registry, request: &Request) -> Answer {
    let query = Query::parse(request.uri().query());
    let (name, secret) = basic(request.headers()).ok_or_else(refused)?;
    issue(registry, &name, &secret, query.all("scope"))
}

async fn post(registry: &Registry, request: Request) -> Answer {
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let Form(fields) = form.map_err(|e| Failure::new(Code::Unsupported, e.to_string()).status(e.status()))?;
    let fields = fields.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect::<Vec<_>>();
    let field =
        |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    match field("grant_type") {
        Some("password") => {}
        other => {
            let message = format!("grant_type {} is not offered: use password", other.unwrap_or("(none)"));
            return Err(Failure::new(Code::Unsupported, message).status(StatusCode::BAD_REQUEST));
        }
    }
    let (Some(name), Some(secret)) = (field("username"), field("password")) else { return Err(refused()) };
    let scopes = fields.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str());
    issue(registry, name, secret, scopes)
}

fn issue<'a>(registry: &Registry, name: &str, secret: &str, scopes: impl Iterator<Item = &'a str>) -> Answer {
    let (identity, now) = (&registry.0.identity, Timestamp::now());
    let principal = identity.secret(name, secret).ok_or_else(refused)?;
    let scopes = Scope::parse_all(scopes);
    let token = identity.issue(&principal, &scopes, now).map_err(Failure::fault)?;
    let granted: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Ok(Json(json!({
        "token": token,
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE,
        "issued_at": seconds.to_string(),
        "scope": granted.join(" "),
    }))
    .into_response())
}

fn refused() -> Failure {
    Failure::new(Code::Unauthorized, "name or secret is wrong")
        .header(header::WWW_AUTHENTICATE, "Basic realm=\"boltseal\",charset=\"UTF-8\"")
}
