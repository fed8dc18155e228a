"""A small dashboard over a folder of wa-audit's JSON; it reads those files and nothing else.

pip install streamlit pandas
wa-audit scan --history audits --format jsonl=audits/findings.jsonl
streamlit run docs/dashboards/app.py -- audits

Scores come from the summaries that --history keeps, what fails from the findings of the newest audit that
lies beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import streamlit as st

SEVERITIES = ["critical", "high", "medium", "low", "info"]


@st.cache_data(ttl=300)
def runs(folder: str) -> pd.DataFrame:
    """The summaries of all whole audits, oldest first: a row for each part of the account."""
    files = sorted(Path(folder).glob("runs/*/*/*.jsonl"))
    read = [pd.read_json(file, lines=True, dtype=False) for file in files]
    if not read:
        return pd.DataFrame()
    found = pd.concat(read, ignore_index=True)
    found["finished"] = pd.to_datetime(found["finished"], utc=True)
    for share in ("score", "coverage"):
        found[share] = pd.to_numeric(found[share])
    whole = found[found["complete"] & (found["narrowed_to"] == "")]
    return whole.sort_values(["finished", "run"], kind="stable")


@st.cache_data(ttl=300)
def findings(folder: str, account: str) -> pd.DataFrame:
    """The flat table of the newest audit of an account among the folder's own files of JSON Lines."""
    read = [
        pd.read_json(file, lines=True, dtype=False, convert_dates=False)
        for file in sorted(Path(folder).glob("*.jsonl"))
    ]
    mine = [table for table in read if not table.empty and table["account"].iloc[0] == account]
    return max(mine, key=lambda table: str(table["audited_at"].iloc[0]), default=pd.DataFrame())


def part(table: pd.DataFrame, *, pillar: bool = False, pipeline: bool = False) -> pd.DataFrame:
    """The rows of the whole account, or of its pillars, or of its pipelines."""
    return table[((table["pillar"] != "") == pillar) & ((table["pipeline"] != "") == pipeline)]


def show_scores(table: pd.DataFrame) -> None:
    """The last audit's figures, each beside the one before."""
    whole = part(table)
    last = whole.iloc[-1]
    before = whole.iloc[-2] if len(whole) > 1 else last
    figures = (
        ("Score", "score", "normal"),
        ("Coverage, %", "coverage", "normal"),
        ("Failing", "failed", "inverse"),
    )
    for column, (title, name, good) in zip(st.columns(len(figures)), figures, strict=True):
        known = pd.notna(last[name])
        changed = known and pd.notna(before[name]) and last[name] != before[name]
        column.metric(
            title,
            f"{last[name]:g}" if known else "–",
            f"{last[name] - before[name]:+.1f}" if changed else None,
            delta_color=good,
        )
    st.caption(f"Whole audits: {len(whole)}; the last of {last['finished']:%Y-%m-%d %H:%M} UTC")


def show_trend(table: pd.DataFrame, by: str) -> None:
    st.line_chart(
        table.pivot_table(index="finished", columns=by, values="score", observed=True), y_label="Score"
    )


def show_findings(table: pd.DataFrame) -> None:
    """What fails, narrowed to what was asked for."""
    failing = table[table["status"] == "fail"]
    left, middle, right = st.columns(3)
    severities = left.multiselect("Severity", SEVERITIES, default=SEVERITIES[:3])
    pillar = middle.selectbox("Pillar", ["all", *sorted(failing["pillar"].unique())])
    words = right.text_input("Search")
    chosen = failing[failing["severity"].isin(severities)]
    if pillar != "all":
        chosen = chosen[chosen["pillar"] == pillar]
    if words:
        text = (
            chosen["resource_arn"]
            + " "
            + chosen["rule"]
            + " "
            + chosen["pipelines"]
            + " "
            + chosen["message"]
        )
        chosen = chosen[text.str.contains(words, case=False, regex=False)]
    order = chosen["severity"].map(SEVERITIES.index)
    columns = ["severity", "resource_name", "message", "rule_title", "region", "pipelines", "fix"]
    st.caption(f"{len(chosen)} of {len(failing)} failing findings")
    st.dataframe(chosen.assign(order=order).sort_values("order", kind="stable")[columns], hide_index=True)


def main(folder: str) -> None:
    st.set_page_config(page_title="Well-Architected audits", layout="wide")
    st.title("Well-Architected audits")
    table = runs(folder)
    if table.empty:
        st.error(f"No whole audit is kept in {Path(folder).name!r}: run wa-audit scan --history DIR first.")
        return
    account = st.selectbox("Account", sorted(table["account"].unique()))
    mine = table[table["account"] == account]
    last = mine["run"].iloc[-1]
    show_scores(mine)
    st.subheader("Pillars")
    show_trend(part(mine, pillar=True), "pillar")
    pipelines = part(mine, pipeline=True)
    if not pipelines.empty:
        st.subheader("Pipelines")
        show_trend(pipelines, "pipeline")
        today = pipelines[pipelines["run"] == last].sort_values("score")
        st.dataframe(today[["pipeline", "score", "coverage", "failed", "high_risk"]], hide_index=True)
    st.subheader("What fails")
    found = findings(folder, account)
    if found.empty:
        st.info("No findings lie here: add --format jsonl=DIR/findings.jsonl to the audit.")
        return
    show_findings(found)


main(sys.argv[1] if len(sys.argv) > 1 else "audits")
