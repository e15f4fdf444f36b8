"""Corrections to the templates and scripts of Kodosumi's panel.

The released pages put texts of buyers and authors into ``innerHTML``, and have handlers in their
attributes, which no strict Content-Security-Policy lets run. Each correction is one exact piece of
the original and what stands in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from masumi_sumi.errors import ConfigurationError

Replacements = Sequence[tuple[str, str]]

_NONCE = 'nonce="{{ request.scope["masumi_sumi.nonce"] }}"'
_INLINE = re.compile(r"<(script|style)\b")

_ESCAPE = r"""
        function escapeHTML(text) {
            const replaced = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"};
            return String(text ?? "").replace(/[&<>"']/g, (character) => replaced[character]);
        }
        function on(event, id, act) {
            document.getElementById(id)?.addEventListener(event, act);
        }"""

_MASTER: Replacements = (
    ("        let loadProgress = null;", f"        let loadProgress = null;{_ESCAPE}"),
    (
        "            loadProgress = document.querySelector('#load-progress');",
        """            loadProgress = document.querySelector('#load-progress');
            on('click', 'mode', toggleTheme);""",
    ),
)

_NAV: Replacements = (('id="mode" onclick="toggleTheme()"', 'id="mode"'),)

_SEARCH_PAGE: Replacements = (
    (' oninput="debouncedSearch()"', ""),
    ('href="javascript: clearIcon()"', 'href="#"'),
)

_SEARCH: Replacements = (
    (
        "function clearIcon() {",
        """document.addEventListener('DOMContentLoaded', () => {
    on('input', 'search-input', () => debouncedSearch());
    on('click', 'close-icon', (event) => { event.preventDefault(); clearIcon(); });
});

function clearIcon() {""",
    ),
)

_FLOWS: Replacements = (
    ('<a href="/inputs${flow.url}"', '<a href="/inputs${escapeHTML(flow.url)}"'),
    (
        """<article class="flow"onmouseover="this.classList.add('wave')" """
        """onmouseout="this.classList.remove('wave')" style""",
        '<article class="flow" style',
    ),
    ("<h6>${flow.summary}</h6>", "<h6>${escapeHTML(flow.summary)}</h6>"),
    ("<p>${flow.description}</p>", "<p>${escapeHTML(flow.description)}</p>"),
    ('<span class="thin">${tag}</span>`', '<span class="thin">${escapeHTML(tag)}</span>`'),
    (
        "                        container.appendChild(flowElement);",
        """                        const card = flowElement.querySelector('article');
                        card.addEventListener('mouseover', () => card.classList.add('wave'));
                        card.addEventListener('mouseout', () => card.classList.remove('wave'));
                        container.appendChild(flowElement);""",
    ),
)

_FORM_PAGE: Replacements = (("{{ html | safe }}", "{{ html | form_page }}"),)

_FORM: Replacements = (
    ("<i>cancel</i> ${relPath}<br>", "<i>cancel</i> ${escapeHTML(relPath)}<br>"),
    (
        'id="${name}-${relPath}-progress"',
        'id="${escapeHTML(name)}-${escapeHTML(relPath)}-progress"',
    ),
    (
        "document.addEventListener('DOMContentLoaded', () => {",
        """document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('form a[data-back]').forEach(link => {
        link.addEventListener('click', (event) => { event.preventDefault(); history.back(); });
    });""",
    ),
)

_TIMELINE: Replacements = (
    ('`value="${item.progress}"`', '`value="${escapeHTML(item.progress)}"`'),
    ("<i>${statusIcon}</i>${status}\n", "<i>${statusIcon}</i>${escapeHTML(status)}\n"),
    ("${item.summary || '...'}</h5>", "${escapeHTML(item.summary || '...')}</h5>"),
    ('    <!-- <span class="small">${item.fid}</span> -->\n', ""),
    ('class="inputs italic">${inputs}</div>', 'class="inputs italic">${escapeHTML(inputs)}</div>'),
    (
        "statusChip.innerHTML = `<i>${statusIcon}</i>${item.status}`;",
        "statusChip.innerHTML = `<i>${statusIcon}</i>${escapeHTML(item.status)}`;",
    ),
)

_STATUS_PAGE: Replacements = (
    ('const fid = "{{ fid }}";', "const fid = {{ fid | tojson }};"),
    ('href="/outputs/html/{{fid}}"', 'href="/outputs/html/{{ fid | urlencode }}"'),
)

_STATUS: Replacements = (
    (
        'elmWaiting.innerHTML += `<li><span id="awaiting-${data.dict.lid}">'
        '<a href="/inputs/lock/${elmFID[0].innerText}/${data.dict.lid}">awaiting input</a></span>, '
        "expires at ${formatUnixTime(data.dict.expires)}</li>`;",
        """const lid = escapeHTML(data.dict.lid);
        const path = [fid, data.dict.lid].map(encodeURIComponent).join('/');
        const address = `/inputs/lock/${path}`;
        const expires = escapeHTML(formatUnixTime(data.dict.expires));
        elmWaiting.insertAdjacentHTML('beforeend', `<li><span id="awaiting-${lid}">"""
        """<a href="${address}">awaiting input</a></span>, expires at ${expires}</li>`);""",
    ),
)

_DASHBOARD: Replacements = (
    ('surface-variant">${status}</span>`;', 'surface-variant">${escapeHTML(status)}</span>`;'),
    (
        '<a href="#" onclick="showFiles(\'${agent.fid}\'); return false;" style',
        '<a href="#" data-files="${escapeHTML(agent.fid)}" style',
    ),
    ("<strong>${agent.agent_name}</strong>", "<strong>${escapeHTML(agent.agent_name)}</strong>"),
    ("<td><code>${agent.fid}</code></td>", "<td><code>${escapeHTML(agent.fid)}</code></td>"),
    (
        "<td>${agent.user_name || agent.user_id}</td>",
        "<td>${escapeHTML(agent.user_name || agent.user_id)}</td>",
    ),
    (
        'href="/admin/status/view/${agent.fid}"',
        'href="/admin/status/view/${encodeURIComponent(agent.fid)}"',
    ),
    (
        'title="${file.name}">${file.name}</div>',
        'title="${escapeHTML(file.name)}">${escapeHTML(file.name)}</div>',
    ),
    ('<a href="${file.url}" download', '<a href="${escapeHTML(file.url)}" download'),
    ("load files: ${err.message}</p>`;", "load files: ${escapeHTML(err.message)}</p>`;"),
    (
        """`<option value="${name}" ${name === currentAgent ? 'selected' : ''}>${name}</option>`""",
        """`<option value="${escapeHTML(name)}" ${name === currentAgent ? 'selected' : ''}>"""
        """${escapeHTML(name)}</option>`""",
    ),
    (
        """`<option value="${user}" ${user === currentUser ? 'selected' : ''}>${user}</option>`""",
        """`<option value="${escapeHTML(user)}" ${user === currentUser ? 'selected' : ''}>"""
        """${escapeHTML(user)}</option>`""",
    ),
    (
        """`<option value="${status}" ${status === currentStatus ? 'selected' : ''}>"""
        """${status.charAt(0).toUpperCase() + status.slice(1)}</option>`""",
        """`<option value="${escapeHTML(status)}" ${status === currentStatus ? 'selected' : ''}>"""
        """${escapeHTML(status.charAt(0).toUpperCase() + status.slice(1))}</option>`""",
    ),
    (
        "const errorMsg = error.error.error || error.error.message || JSON.stringify(error.error);",
        "const errorMsg = String("
        "error.error?.error || error.error?.message || JSON.stringify(error.error));",
    ),
    (
        "onclick=\"showErrorDetail('${error.fid}', ${error.timestamp})\">",
        'data-error="${escapeHTML(error.fid)}" data-time="${escapeHTML(error.timestamp)}">',
    ),
    ('error-text">${error.fid}</h6>', 'error-text">${escapeHTML(error.fid)}</h6>'),
    ("- User: ${error.user_id}</p>", "- User: ${escapeHTML(error.user_id)}</p>"),
    ("<code>${errorPreview}</code>", "<code>${escapeHTML(errorPreview)}</code>"),
    (
        "<strong>Execution ID:</strong> <code>${fid}</code>",
        "<strong>Execution ID:</strong> <code>${escapeHTML(fid)}</code>",
    ),
    (
        "<strong>User:</strong> ${data.metadata.user_id}</p>",
        "<strong>User:</strong> ${escapeHTML(data.metadata.user_id)}</p>",
    ),
    (
        "${data.metadata.agent_name || 'Unknown'}</p>",
        "${escapeHTML(data.metadata.agent_name || 'Unknown')}</p>",
    ),
    ('break-word;">${errorDisplay}</pre>', 'break-word;">${escapeHTML(errorDisplay)}</pre>'),
    ("error details: ${err.message}</p>`;", "error details: ${escapeHTML(err.message)}</p>`;"),
    ("<td><strong>${key}</strong></td>", "<td><strong>${escapeHTML(key)}</strong></td>"),
    (
        "window.showErrorDetail = showErrorDetail;\nwindow.showFiles = showFiles;",
        """document.addEventListener('click', (event) => {
    const files = event.target.closest('[data-files]');
    const error = event.target.closest('[data-error]');
    if (files) {
        event.preventDefault();
        showFiles(files.dataset.files);
    } else if (error) {
        showErrorDetail(error.dataset.error, Number(error.dataset.time));
    }
});""",
    ),
)

CORRECTIONS: Mapping[str, Replacements] = {
    "_master.html": _MASTER,
    "_nav.html": _NAV,
    "_search.html": _SEARCH_PAGE,
    "_search.js": _SEARCH,
    "dashboard/dashboard.js": _DASHBOARD,
    "flow.html": _FLOWS,
    "form.html": _FORM_PAGE,
    "form.js": _FORM,
    "status/main.js": _STATUS,
    "status/status.html": _STATUS_PAGE,
    "timeline/load.js": _TIMELINE,
}


class PageUnknown(ConfigurationError):
    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page

    def __str__(self) -> str:
        return (
            f"the installed Kodosumi's page {self.page} is not the one that this version of"
            " masumi_sumi makes safe: install kodosumi==1.1.0, or a newer masumi_sumi"
        )


def correct(name: str, source: str) -> str:
    """Return a template of Kodosumi's as the gateway serves it.

    Raises PageUnknown where a correction does not fit: such a page is not served.
    """
    for original, replacement in CORRECTIONS.get(name, ()):
        if original not in source:
            raise PageUnknown(name)
        source = source.replace(original, replacement)
    return _INLINE.sub(rf"<\1 {_NONCE}", source)
