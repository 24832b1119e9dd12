"""Descriptions for machines: the columns (CSVW), the catalogue (DCAT-AP), a data set on its page (schema.org)."""

from __future__ import annotations

from typing import Any

from claimatlas.atlas import links
from claimatlas.atlas.site import Site
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.model import InLanguages
from claimatlas.tables.schemas import Column

CSVW = "csvw-metadata.json"
CATALOGUE = "catalogue.jsonld"
_TYPES = {"string": "string", "int": "integer", "bigint": "integer", "double": "double"}
_MEDIA = {
    "csv": ("CSV", "text/csv"),
    "xlsx": ("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("PARQUET", "application/vnd.apache.parquet"),
}
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def csvw(site: Site) -> dict[str, Any]:
    """The description of the CSV files: each column with its type and meaning."""
    columns = [_column(site.fields[name]) for name in site.columns]
    if site.release.band:
        said = {"dc:description": site.release.band, "required": True}
        columns.append({"name": "note", "titles": "note", "datatype": "string", **said})
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:license": site.settings.licence.url,
        "dc:publisher": next(iter(site.settings.owner.values())),
        "tables": [
            {
                "url": f"{indicator.id}.csv",
                "dc:title": _by_language(site, indicator.names),
                "tableSchema": {"columns": columns, "primaryKey": list(site.columns[: 5 + len(site.dimensions)])},
            }
            for indicator in site.indicators
        ],
    }


def catalogue(site: Site) -> dict[str, Any]:
    """The catalogue of the release by DCAT-AP 3, as JSON-LD."""
    publisher = {"@type": "foaf:Agent", "foaf:name": _literals(site.settings.owner)}
    root: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": links.address(site, "#catalogue"),
        "@type": "dcat:Catalog",
        "dct:title": _literals(site.settings.title),
        "dct:description": _literals(site.settings.subtitle),
        "dct:publisher": publisher,
        "dct:license": {"@id": site.settings.licence.url},
        "dcat:dataset": [_dcat_dataset(site, indicator, publisher) for indicator in site.indicators],
    }
    if site.release.published_on:
        root["dct:modified"] = _day(site.release.published_on.isoformat())
    return root


def dataset(site: Site, indicator: Indicator, language: str) -> dict[str, Any]:
    """An indicator as a data set of schema.org, for the page of a language."""
    theme = site.settings.theme_of(indicator.id)
    years = site.years_of[indicator.id]
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": indicator.names.of(language),
        "description": _described(site, indicator, language),
        "identifier": indicator.id,
        "inLanguage": language,
        "url": links.address(site, links.indicator_page(language, indicator.id)),
        "license": site.settings.licence.url,
        "creator": {"@type": "Organization", "name": site.settings.owner[language]},
        "version": str(site.release.number),
        "temporalCoverage": f"{years[0]}/{years[-1]}",
        "keywords": list(theme.keywords.get(language, ())) if theme else [],
        "isAccessibleForFree": True,
        "distribution": [
            {
                "@type": "DataDownload",
                "encodingFormat": media,
                "contentUrl": links.address(site, links.download(site.release.number, f"{indicator.id}.{ending}")),
            }
            for ending, (_, media) in _MEDIA.items()
        ],
    }
    if site.release.published_on:
        found["datePublished"] = site.release.published_on.isoformat()
    return found


def _described(site: Site, indicator: Indicator, language: str) -> str:
    words = site.words[language]
    band = [words.say("band.synthetic_long")] if site.release.is_synthetic else []
    return " ".join([*band, indicator.description.of(language)])


def _column(column: Column) -> dict[str, Any]:
    return {
        **{"name": column.name, "titles": column.name, "datatype": _TYPES[column.type]},
        **{"dc:description": column.comment, "required": column.required},
    }


def _dcat_dataset(site: Site, indicator: Indicator, publisher: dict[str, Any]) -> dict[str, Any]:
    number, years = site.release.number, site.years_of[indicator.id]
    keywords = site.settings.theme_of(indicator.id)
    found: dict[str, Any] = {
        "@id": links.address(site, f"#{indicator.id}"),
        "@type": "dcat:Dataset",
        "dct:identifier": indicator.id,
        "dct:title": _literals({language: indicator.names.of(language) for language in site.words}),
        "dct:description": _literals({language: _described(site, indicator, language) for language in site.words}),
        "dct:publisher": publisher,
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:hasEmail": {"@id": site.settings.contact}},
        "dcat:theme": {"@id": f"{_AUTHORITY}/data-theme/HEAL"},
        "dct:accessRights": {"@id": f"{_AUTHORITY}/access-right/PUBLIC"},
        "dcat:version": str(number),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(f"{years[0]}-01-01"),
            "dcat:endDate": _day(f"{years[-1]}-12-31"),
        },
        "dcat:landingPage": [
            {"@id": links.address(site, links.indicator_page(language, indicator.id))} for language in site.words
        ],
        "dcat:distribution": [
            _distribution(site, indicator, ending, authority, media) for ending, (authority, media) in _MEDIA.items()
        ],
    }
    if keywords:
        said = [(word, language) for language in site.words for word in keywords.keywords.get(language, ())]
        found["dcat:keyword"] = [{"@value": word, "@language": language} for word, language in said]
    changed = site.release.data_changed.get(indicator.id, site.release.published_on)
    if changed:
        found["dct:modified"] = _day(changed.isoformat())
    return found


def _distribution(site: Site, indicator: Indicator, ending: str, authority: str, media: str) -> dict[str, Any]:
    file = links.address(site, links.download(site.release.number, f"{indicator.id}.{ending}"))
    return {
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": file},
        "dcat:downloadURL": {"@id": file},
        "dct:format": {"@id": f"{_AUTHORITY}/file-type/{authority}"},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media}"},
        "dct:license": {"@id": site.settings.licence.url},
    }


def _literals(by_language: dict[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} for language, text in by_language.items()]


def _by_language(site: Site, names: InLanguages) -> dict[str, str]:
    return {language: names.of(language) for language in site.words}


def _day(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:date"}
