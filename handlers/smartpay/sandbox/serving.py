"""What both versions of the sandbox's API do around a call: counting, wording, and warning."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from handlers.exchange import Response
from handlers.sandbox import Callback
from handlers.smartpay.sandbox.access import Access
from handlers.smartpay.sandbox.api import Refuse
from handlers.smartpay.sandbox.errors import ApiError, Failing

Call: TypeAlias = Callable[[Refuse], Response | Callback]
"""Does what was asked for; it is given what writes the errors of what ends later."""


def serve(
    access: Access, version: str, call: Call, refuse: Refuse, now: datetime
) -> Response | Callback:
    """Answer a call: within the limits, errors counted, with a warning if the version retires."""

    def refused(failing: Failing) -> Response:
        return refuse(access.worded(failing))

    def finished(response: Response) -> Response:
        content = response.object()
        if "errors" in content:
            access.count_error(now)
        elif version in access.retiring:
            warning = {"2001": f"Version {version} is about to retire"}
            return Response.json(response.status, {**content, "warnings": dict(warning)})
        return response

    try:
        access.count_call(now)
        answer = call(refused)
    except ApiError as error:
        return finished(refused(error.failing))
    if isinstance(answer, Response):
        return finished(answer)
    resume = answer.resume
    return Callback(answer.notification, lambda status: finished(resume(status)))
