//! Settings that are one of a few words.

/// Defines an enum whose values are words in the configuration, and maybe the word of a value
/// that a later version will have.
macro_rules! choice {
    (
        $(#[doc = $about:literal])*
        pub enum $name:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+
        }
        $(to come: $coming:literal)?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// The word that stands for it in the configuration.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl $crate::value::Value for $name {
            fn accepted() -> String {
                let words: Vec<String> =
                    Self::ALL.iter().map(|value| format!("{:?}", value.word())).collect();
                words.join(" or ")
            }

            fn parse(
                raw: &$crate::value::Raw,
                _folder: &std::path::Path,
            ) -> Result<Self, $crate::value::Refusal> {
                let word = raw.text();
                $(
                    if word == Some($coming) {
                        let reason = "is to come; this version doesn't have it yet";
                        return Err($crate::value::Refusal::new(reason));
                    }
                )?
                let found = Self::ALL.iter().find(|value| word == Some(value.word()));
                found.copied().ok_or_else(|| $crate::value::Refusal::new("is not accepted"))
            }

            fn render(&self) -> Option<String> {
                Some($crate::value::quote(self.word()))
            }
        }
    };
}
pub(crate) use choice;
