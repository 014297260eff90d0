<%@ page isErrorPage="true" %><p>It broke: <%= exception %></p>
