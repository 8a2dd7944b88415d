"""A service that records on its machine: start and stop by HTTP, everything that happens over a WebSocket.

pip install fastapi uvicorn websockets
python fastapi_service.py
"""

import asyncio

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

import dictum


def make_app(backend: dictum.AsyncRecorderBackend) -> FastAPI:
    app = FastAPI()

    @app.post("/start")
    async def start() -> dict[str, str]:
        await backend.start_recording()
        return {"session": backend.get_session_path().name}

    @app.post("/stop")
    async def stop() -> dict[str, bool]:
        await backend.stop_recording()
        return {"is_recording": backend.is_recording}

    @app.websocket("/events")
    async def events(socket: WebSocket) -> None:
        stream = backend.events()
        await socket.accept()

        async def forward() -> None:
            async for event in stream:
                await socket.send_json(event.to_dict())

        forwarding = asyncio.create_task(forward())
        try:
            while True:  # the client says nothing; this is how the end of it, or of the server, is noticed
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            forwarding.cancel()

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(dictum.AsyncRecorderBackend()), host="127.0.0.1", port=8000)
