//! The words of requests and answers, as the API writes them and as its description lists them.

use access::{Permission, Privacy, Timestamp};
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{PrincipalKind, Role, TokenStatus};

/// An enumeration for the API of one that knows nothing of JSON.
macro_rules! word {
    ($(#[$doc:meta])* $word:ident of $meaning:ident: $($variant:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = $meaning)]
        pub(super) enum $word {
            $($variant),+
        }

        impl<'de> Deserialize<'de> for $word {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "snake_case")]
                enum Spelled {
                    $($variant),+
                }
                // As a text first: a number in an enumeration's place is broken JSON to serde_json.
                let text = String::deserialize(from)?;
                Ok(match Spelled::deserialize(text.into_deserializer())? {
                    $(Spelled::$variant => Self::$variant),+
                })
            }
        }

        impl From<$meaning> for $word {
            fn from(meaning: $meaning) -> Self {
                match meaning {
                    $($meaning::$variant => Self::$variant),+
                }
            }
        }

        impl From<$word> for $meaning {
            fn from(word: $word) -> Self {
                match word {
                    $($word::$variant => Self::$variant),+
                }
            }
        }
    };
}

word! {
    /// What may be done to a channel; a higher permission contains the lower ones.
    PermissionWord of Permission: Read, Write, Manage
}
word! {
    /// Who may download from a channel: anyone, whoever has a valid token, or only a grant's holder.
    PrivacyWord of Privacy: Public, Authenticated, Private
}
word! {
    /// What a user may do beyond what their groups give them.
    RoleWord of Role: Admin, User
}
word! {
    /// Whether a token works; `limited`: the bytes of the day are used up.
    TokenStatusWord of TokenStatus: Active, Expired, Revoked, Limited
}
word! {
    /// Whether a principal is a person or a program.
    KindWord of PrincipalKind: User, ServiceAccount
}

/// A point in time as RFC 3339 writes it, in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Time {}
