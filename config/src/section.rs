//! How a section of the configuration is written down once, as a table of its settings.

use std::ops::RangeInclusive;

use crate::listing::SectionListing;
use crate::reader::Reader;
use crate::value::{Raw, Refusal, Value};

/// A section: a struct whose fields are settings or sections.
pub(crate) trait Section: Sized {
    /// Reads it. `None`: what is wrong is in the report.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// The section's settings as a list, with the values of `this`.
    fn listing(this: Option<&Self>, path: &str) -> SectionListing;
}

/// What a section's field can be: a setting, a section, or an optional section.
pub(crate) trait Field: Sized {
    /// Reads it. `None`: what is wrong is in the report.
    fn read(reader: &mut Reader<'_>, spec: Spec<Self>) -> Option<Self>;

    /// Adds it to the list of its section, with its `value`.
    fn list(value: Option<&Self>, spec: Spec<Self>, into: &mut SectionListing);
}

/// One line of a section's table.
#[derive(Debug)]
pub(crate) struct Spec<T> {
    pub(crate) key: &'static str,
    pub(crate) doc: &'static [&'static str],
    /// `None`: the setting is required.
    pub(crate) default: Option<T>,
    /// Shown in the default file where there is no default.
    pub(crate) example: Option<Raw>,
    pub(crate) bounds: Option<Bounds<T>>,
}

/// The least and the greatest accepted value.
#[derive(Debug)]
pub(crate) struct Bounds<T> {
    range: RangeInclusive<T>,
    contains: fn(&RangeInclusive<T>, &T) -> bool,
}

impl<T: PartialOrd> From<RangeInclusive<T>> for Bounds<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        Self { range, contains: RangeInclusive::contains }
    }
}

impl<T: Value> Spec<T> {
    /// What may be written, for people.
    pub(crate) fn accepted(&self) -> String {
        let range = self.bounds.as_ref().map(|bounds| &bounds.range);
        match range.map(|range| (range.start().render(), range.end().render())) {
            Some((Some(low), Some(high))) => format!("{} from {low} to {high}", T::accepted()),
            _ => T::accepted(),
        }
    }

    /// `value`, if it is within the bounds.
    pub(crate) fn check(&self, value: T) -> Result<T, Refusal> {
        match &self.bounds {
            Some(bounds) if !(bounds.contains)(&bounds.range, &value) => {
                Err(Refusal::new("is out of range"))
            }
            _ => Ok(value),
        }
    }
}

/// Defines a section: a struct and the table of its settings.
///
/// Each line is `name: Type = default, example …, within low..=high;` with the documentation that
/// the struct, the default file and the operator's reference share. A setting without a default
/// is required. `check` names a function of the whole section that returns what its settings
/// can't be together, each with the key to name.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty
                $(= $default:expr)?
                $(, example $example:expr)?
                $(, within $range:expr)?;
            )+
        }
        $(check $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $type, )+ }

        impl $crate::section::Section for $name {
            fn read(reader: &mut $crate::reader::Reader<'_>) -> Option<Self> {
                $(
                    let $field = reader.field::<$type>($crate::section::settings!(
                        @spec $field [$($doc)+] [$($default)?] [$($example)?] [$($range)?]
                    ));
                )+
                let section = Self { $( $field: $field?, )+ };
                $( reader.refuse_each($check(&section)); )?
                Some(section)
            }

            fn listing(this: Option<&Self>, path: &str) -> $crate::listing::SectionListing {
                let about = &[$($about),+];
                let mut listing = $crate::listing::SectionListing::new(path, about);
                $(
                    <$type as $crate::section::Field>::list(
                        this.map(|section| &section.$field),
                        $crate::section::settings!(
                            @spec $field [$($doc)+] [$($default)?] [$($example)?] [$($range)?]
                        ),
                        &mut listing,
                    );
                )+
                listing
            }
        }

        $crate::section::settings!(@default $name $( [$field $($default)?] )+);
    };

    (@spec $field:ident
        [$($doc:literal)+] [$($default:expr)?] [$($example:expr)?] [$($range:expr)?]
    ) => {
        $crate::section::Spec {
            key: stringify!($field),
            doc: &[$($doc),+],
            default: $crate::section::settings!(@option $($default)?),
            example: $crate::section::settings!(@option $($crate::value::Raw::from($example))?),
            bounds: $crate::section::settings!(@option $($crate::section::Bounds::from($range))?),
        }
    };

    (@option) => { None };
    (@option $value:expr) => { Some($value) };

    (@default $name:ident $( [$field:ident $default:expr] )+) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl $crate::section::Field for $name {
            fn read(
                reader: &mut $crate::reader::Reader<'_>,
                spec: $crate::section::Spec<Self>,
            ) -> Option<Self> {
                let table = reader.subsection(spec.key).ok()?;
                reader.read_subsection(spec.key, table)
            }

            fn list(
                value: Option<&Self>,
                spec: $crate::section::Spec<Self>,
                into: &mut $crate::listing::SectionListing,
            ) {
                into.nest::<Self>(value, spec.key);
            }
        }
    };
    // A section with a required setting has no default and may be absent.
    (@default $name:ident $($rest:tt)+) => {
        impl $crate::section::Field for Option<$name> {
            fn read(
                reader: &mut $crate::reader::Reader<'_>,
                spec: $crate::section::Spec<Self>,
            ) -> Option<Self> {
                match reader.subsection(spec.key).ok()? {
                    None => Some(None),
                    table => reader.read_subsection(spec.key, table).map(Some),
                }
            }

            fn list(
                value: Option<&Self>,
                spec: $crate::section::Spec<Self>,
                into: &mut $crate::listing::SectionListing,
            ) {
                into.nest::<$name>(value.and_then(Option::as_ref), spec.key);
            }
        }
    };
}
pub(crate) use settings;
