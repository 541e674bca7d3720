-- Settings of a domain that were not given are ''.
\if :{?digests}
\else
\set digests ''
\endif
\if :{?digest_md5}
\else
\set digest_md5 ''
\endif
\if :{?iterations}
\else
\set iterations ''
\endif
\if :{?algorithms}
\else
\set algorithms ''
\endif
\if :{?localpart_rule}
\else
\set localpart_rule ''
\endif
\if :{?non_ascii}
\else
\set non_ascii ''
\endif
\if :{?realm}
\else
\set realm ''
\endif
\if :{?force}
\else
\set force ''
\endif
