"""The proof that a request comes from the gateway."""

from masumi_sumi.gateway_proof import derive_app_secret, is_valid_proof


def test_each_route_has_its_own_secret() -> None:
    routes = ("/", "/prime", "/prime/async", "/primes")
    assert len({derive_app_secret("master", route) for route in routes}) == len(routes)


def test_slashes_at_the_ends_do_not_matter() -> None:
    secrets = {derive_app_secret("master", route) for route in ("/prime", "prime/", "/prime/")}
    assert len(secrets) == 1


def test_another_master_gives_another_secret() -> None:
    assert derive_app_secret("one", "/prime") != derive_app_secret("two", "/prime")


def test_only_the_secret_itself_is_a_proof() -> None:
    secret = derive_app_secret("master", "/prime")
    assert is_valid_proof(secret, secret.encode())
    for wrong in (b"", b"master", secret.upper().encode(), secret[:-1].encode(), b"\xff\xfe"):
        assert not is_valid_proof(secret, wrong)


def test_an_app_without_a_secret_accepts_nothing() -> None:
    assert not is_valid_proof("", b"")
    assert not is_valid_proof("", b"anything")
