"""Login through an institution: LTI 1.3 from a learning platform, OAuth from an identity provider."""
