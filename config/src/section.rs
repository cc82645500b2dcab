//! How a section of the configuration is written down once, as a table of its settings.

/// Defines a section: a struct and the table of its settings.
///
/// Each line is `name: Type = default, example …, within low..=high;` with the documentation that
/// the struct, the default file and the operator's reference share. A setting without a default
/// is required.
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty
                $(= $default:expr)?
                $(, example $example:expr)?
                $(, within $range:expr)?;
            )+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $type, )+ }

        settings!(@default $name $( [$field $($default)?] )+);
    };

    (@default $name:ident $( [$field:ident $default:expr] )+) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }
    };
    // A section with a required setting has no default.
    (@default $($rest:tt)+) => {};
}
pub(crate) use settings;
