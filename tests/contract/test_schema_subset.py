"""The sandbox's GraphQL schema is a true subset of the one that GitHub publishes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    print_ast,
    specified_scalar_types,
)
from graphql.type import GraphQLArgument, GraphQLField, GraphQLInputField

from tests.sandbox.graphql.execution import schema

PACKAGE = "@octokit/graphql-schema"

pytestmark = pytest.mark.node


def missing(reason: str) -> None:
    """Skip, or fail where everything has to run."""
    if os.environ.get("STABLEHAND_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> GraphQLSchema:
    """GitHub's schema, from npm, kept in pytest's cache: its newest version on the day it was fetched."""
    assert request.config.cache is not None
    folder = Path(request.config.cache.mkdir("github-graphql-schema"))
    sdl = folder / "node_modules" / PACKAGE / "schema.graphql"
    if not sdl.exists():
        npm = shutil.which("npm")
        if npm is None:
            missing("npm is not installed: GitHub's published schema cannot be fetched")
        command = [
            npm or "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            PACKAGE,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode:
            missing(f"npm could not fetch {PACKAGE}: {done.stderr.strip()}")
    # What GitHub publishes is taken as valid: checking it takes a second more.
    return build_schema(sdl.read_text(), assume_valid=True)


def our_types() -> list[str]:
    return [
        name for name in schema().type_map if not name.startswith("__") and name not in specified_scalar_types
    ]


def test_every_type_is_githubs(published: GraphQLSchema) -> None:
    assert [] == [name for name in our_types() if name not in published.type_map]


def test_every_member_is_githubs(published: GraphQLSchema) -> None:
    """Fields, arguments, values and members are there, of the same type, nullability and default."""
    differences = [
        difference
        for name in our_types()
        if name in published.type_map
        for difference in compare(schema().type_map[name], published.type_map[name])
    ]

    assert [] == differences


def test_no_input_of_ours_lacks_what_github_demands(published: GraphQLSchema) -> None:
    """What the sandbox takes, GitHub takes: every required argument and input field is in our schema too."""
    lacking = [
        f"{name}.{member}"
        for name in our_types()
        for member in required_members(published.type_map[name])
        if member not in members(schema().type_map[name])
    ]

    assert [] == lacking


def required_members(named: GraphQLNamedType) -> list[str]:
    if not isinstance(named, GraphQLInputObjectType):
        return []
    return [name for name, field in named.fields.items() if str(field.type).endswith("!")]


Member = GraphQLField | GraphQLInputField | GraphQLArgument | None


def members(named: GraphQLNamedType) -> dict[str, Member]:
    """List what a type consists of; arguments as `field(argument)`."""
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        fields: dict[str, Member] = dict(named.fields)
        arguments = {
            f"{name}({key})": arg for name, field in named.fields.items() for key, arg in field.args.items()
        }
        return {**fields, **arguments}
    if isinstance(named, GraphQLInputObjectType):
        return dict(named.fields)
    if isinstance(named, GraphQLEnumType):
        return dict.fromkeys(named.values)
    if isinstance(named, GraphQLUnionType):
        return dict.fromkeys(member.name for member in named.types)
    return {}


def compare(ours: GraphQLNamedType, theirs: GraphQLNamedType) -> list[str]:
    if type(ours) is not type(theirs):
        return [f"{ours.name} is a {type(theirs).__name__} there"]
    differences = []
    if isinstance(ours, GraphQLObjectType) and isinstance(theirs, GraphQLObjectType):
        known = {interface.name for interface in theirs.interfaces}
        differences += [
            f"{ours.name} is no {each.name} there" for each in ours.interfaces if each.name not in known
        ]
    published = members(theirs)
    for name, member in members(ours).items():
        if name not in published:
            differences.append(f"{ours.name}.{name} is not there")
        elif describe(member) != describe(published[name]):
            differences.append(f"{ours.name}.{name}: {describe(member)} is {describe(published[name])} there")
    if isinstance(ours, GraphQLObjectType) and isinstance(theirs, GraphQLObjectType):
        differences += [
            f"{ours.name}.{name} demands {key} there"
            for name, field in ours.fields.items()
            for key, argument in (theirs.fields[name].args.items() if name in theirs.fields else ())
            if str(argument.type).endswith("!") and argument.ast_node and key not in field.args
        ]
    return differences


def describe(member: Member) -> str:
    if member is None:
        return "a value"
    default = getattr(member.ast_node, "default_value", None)
    return f"{member.type}" + (f" = {print_ast(default)}" if default else "")
