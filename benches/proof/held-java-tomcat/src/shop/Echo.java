package shop;

import jakarta.websocket.OnMessage;
import jakarta.websocket.server.ServerEndpoint;

@ServerEndpoint("/echo")
public class Echo {
    @OnMessage
    public String message(String text) {
        return "echo: " + text;
    }
}
