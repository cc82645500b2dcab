//! The API's description (OpenAPI 3.1): what the handlers declare, and what holds for all of them.

use axum::http::StatusCode;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{Modify, OpenApi, ToSchema as _};

use super::credential::SESSION_COOKIE;
use super::problem::{Details, PROBLEM};
use super::repeat;

/// What stands above every handler's own part.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "condagate control plane",
        description = "Channels, people, service accounts and tokens, over JSON. Errors are \
            problems by RFC 9457; their `type` tells them apart. In a path the `/` of a \
            subchannel is written `:`."
    ),
    components(schemas(Details)),
    security(("bearer" = []), ("cookie" = [])),
    modifiers(&Credentials)
)]
struct Head;

/// The two ways to say who asks.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_with(Components::new);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A user's or service account's token, or a session's"));
        let cookie =
            ApiKey::Cookie(ApiKeyValue::with_description(SESSION_COOKIE, "A browser's session"));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// The description without any operation.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// Gives every operation an id of its own and the refusals that follow from what it takes.
pub(super) fn complete(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut api.paths.paths {
        if let Some(operation) = item.post.as_mut().filter(|_| repeat::is_offered(path)) {
            operation.parameters.get_or_insert_default().push(repeat_key().into());
        }
        let reads = [item.get.as_mut()];
        let writes =
            [item.post.as_mut(), item.put.as_mut(), item.patch.as_mut(), item.delete.as_mut()];
        for operation in reads.into_iter().flatten() {
            finish(operation, path, false);
        }
        for operation in writes.into_iter().flatten() {
            finish(operation, path, true);
        }
    }
    api
}

/// The header by which a `POST` may be sent again.
fn repeat_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Under which the request may be sent again for a day, to be done once"))
        .schema(Some(text.max_length(Some(repeat::MAX_KEY_BYTES)).build()))
        .build()
}

fn finish(operation: &mut Operation, path: &str, changes: bool) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{tag}_{name}").replace('-', "_"));
    for (status, reason) in refusals(operation, path, changes) {
        let responses = &mut operation.responses.responses;
        responses.entry(status.as_str().to_owned()).or_insert_with(|| problem(reason).into());
    }
}

/// The refusals that an operation's own declaration needn't name.
fn refusals(operation: &Operation, path: &str, changes: bool) -> Vec<(StatusCode, &'static str)> {
    use StatusCode as S;
    // Only those that need no credential say so themselves; for the rest the head's word holds.
    let public = operation.security.is_some();
    let takes_body = operation.request_body.is_some();
    let takes_query = operation.parameters.iter().flatten().any(is_in_query);
    let named = path.contains('{');
    let all = [
        (true, S::INTERNAL_SERVER_ERROR, "Something failed here"),
        (true, S::SERVICE_UNAVAILABLE, "The control database does not answer"),
        (!public, S::UNAUTHORIZED, "Not signed in"),
        (!public, S::FORBIDDEN, "Not permitted"),
        // A body may name a thing too.
        (
            named || (takes_body && !public),
            S::NOT_FOUND,
            "No such thing, or not visible to the caller",
        ),
        (changes && !public, S::CONFLICT, "The state of things does not allow it"),
        (takes_body, S::BAD_REQUEST, "The body is not JSON"),
        (takes_body, S::PAYLOAD_TOO_LARGE, "The body is too large"),
        (takes_body, S::UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON"),
        (takes_body || takes_query, S::UNPROCESSABLE_ENTITY, "A field can't have this value"),
    ];
    all.into_iter().filter(|(when, ..)| *when).map(|(_, status, why)| (status, why)).collect()
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    }
}

fn problem(reason: &str) -> Response {
    let schema = Ref::from_schema_name(Details::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(reason).content(PROBLEM, content).build()
}
